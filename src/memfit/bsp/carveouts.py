"""Carveouts of a compiled boot configuration, by name: a node's number is what its name's macro stands for."""

from __future__ import annotations

from typing import NamedTuple

from memfit.bsp._addresses import number_of
from memfit.bsp.fdt import number as cells
from memfit.bsp.merged import Merged
from memfit.bsp.purposes import PURPOSES

NODE = "aux_info@"
FOLDER = "/misc/carveout"
PREFIX = "CARVEOUT_"


class Carved(NamedTuple):
    """A carveout: all names of its number, the one that is known first; ``bytes`` None where it cannot be read.

    ``unit`` is its number as the tree spells it.
    """

    unit: str
    names: tuple[str, ...]
    bytes: int | None

    @property
    def name(self) -> str:
        """What to call it."""
        return self.names[0]


def carveouts(merged: Merged) -> tuple[Carved, ...]:
    """All of them, the largest first."""
    named: dict[int | None, list[str]] = {}
    for macro in merged.macros:
        if macro.startswith(PREFIX) and (number := number_of(merged.value(macro))) is not None:
            named.setdefault(number, []).append(macro.removeprefix(PREFIX))
    folder = merged.root.at(FOLDER)
    found = []
    for node in () if folder is None else folder.children:
        if node.name.startswith(NODE):
            unit = node.name.removeprefix(NODE)
            names = named.get(number_of(unit), [unit.removeprefix(PREFIX)])
            ordered = tuple(sorted(names, key=lambda name: (name not in PURPOSES, name)))
            found.append(Carved(unit, ordered, cells(node.properties.get("size"))))
    return tuple(sorted(found, key=lambda one: (-(one.bytes or 0), one.name)))


def unit_of(merged: Merged, name: str) -> str | None:
    """The number that a name stands for; None where this tree does not know the name."""
    macro = PREFIX + name
    return merged.value(macro) if macro in merged.macros else None


def total(found: tuple[Carved, ...], without: tuple[str, ...] = ()) -> int:
    """Bytes of all whose size is known, without those of these names."""
    return sum(one.bytes or 0 for one in found if not set(one.names) & set(without))
