"""Numbers of nodes, ``44`` of ``aux_info@44``, which may be spelled ``0x2c`` or ``0X2C`` as well.

To dtc these are nodes of their own: where a tree has two of one number, nobody can tell here which one counts.
"""

from __future__ import annotations

import re

from memfit.bsp._setters import setters, setters_of
from memfit.bsp.fdt import Blob
from memfit.bsp.merged import Merged
from memfit.errors import ProbeError

_BASES = (
    (re.compile(r"0[xX][0-9a-fA-F]{1,16}"), 16),
    (re.compile(r"[0-9]{1,20}"), 10),
    (re.compile(r"0[0-7]{1,20}"), 8),
)


def readings(unit: str) -> frozenset[int]:
    """What it may stand for: ``010`` is ten to some and eight to others; nothing where it is no number."""
    return frozenset(int(unit, base) for pattern, base in _BASES if pattern.fullmatch(unit))


def number_of(unit: str) -> int | None:
    """What it stands for, where that is one number."""
    found = readings(unit)
    return next(iter(found)) if len(found) == 1 else None


def nodes_of(merged: Merged, prefix: str, number: int) -> tuple[Blob, ...]:
    """Nodes of a number, however it is spelled; ``prefix`` is their path up to it, ``/misc/carveout/aux_info@``.

    Raises:
        ProbeError: a node may be of this number or of another one.
    """
    folder = merged.root.at(prefix.rpartition("/")[0])
    nodes = () if folder is None else folder.children
    found = tuple(
        node for node in nodes if node.path.startswith(prefix) and number in readings(node.path.removeprefix(prefix))
    )
    for node in found:
        either = sorted(readings(node.path.removeprefix(prefix)))
        if len(either) > 1:
            hint = f"write it without the leading 0: {node.name.partition('@')[0]}@{either[-1]}"
            raise ProbeError(f"{_place(merged, node)}: {node.name} may be {either[0]} or {either[-1]}", hint=hint)
    return found


def node_of(merged: Merged, prefix: str, number: int) -> Blob | None:
    """The one node of a number.

    Raises:
        ProbeError: there are two.
    """
    found = nodes_of(merged, prefix, number)
    if len(found) > 1:
        one, other = found[:2]
        raise ProbeError(
            f"{_place(merged, other)}: {other.name} is {one.name} of {_place(merged, one)}, spelled otherwise",
            hint=f"write both as {one.name}, so that the later one counts",
        )
    return found[0] if found else None


def _place(merged: Merged, node: Blob) -> str:
    """Where a node is set last."""
    found = setters_of(setters(merged), node.path)
    return found[-1].place if found else merged.main
