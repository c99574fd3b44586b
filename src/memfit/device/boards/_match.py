"""Which board a machine is: by the part numbers of its device tree and boot spec, never by its display name."""

from __future__ import annotations

import re
from collections.abc import Iterable

from memfit.catalog import Catalog
from memfit.device.boards._board import Board

_PART = re.compile(r"(?<![a-z0-9])p([0-9]{4})-([0-9]{4})(?![0-9])", re.ASCII | re.IGNORECASE)
# "3767-300-0005-S.1-1-1-jetson-orin-nano-devkit-super-": number, version, SKU; COMPATIBLE_SPEC leaves the version empty
_SPEC = re.compile(r"([0-9]{4})-[0-9A-Za-z]*-([0-9]{4})(?:-.*)?", re.ASCII)


def part_numbers(compatible: Iterable[str], boot_spec: str | None = None) -> tuple[str, ...]:
    """Part numbers in the order they are named, each once: ``p3768-0000``, ``p3767-0005``.

    ``compatible`` is the device tree's. ``boot_spec`` is TNSPEC or COMPATIBLE_SPEC of ``/etc/nv_boot_control.conf``,
    which alone is there in an unpacked image.
    """
    found = [f"p{number}-{sku}" for words in compatible for number, sku in _PART.findall(words)]
    if boot_spec:
        spec = _SPEC.fullmatch(boot_spec.strip())
        found += [f"p{spec[1]}-{spec[2]}"] if spec else [f"p{a}-{b}" for a, b in _PART.findall(boot_spec)]
    return tuple(dict.fromkeys(found))


def match(boards: Catalog[Board], parts: Iterable[str], total_bytes: int | None = None) -> str | None:
    """The key of the board that has one of these parts; None where none has, or where several have and none stands out.

    A carrier decides before a module. Modules that were sold with two sizes of memory (developer kits of AGX Orin) are
    told apart by MemTotal, ``total_bytes``: the smallest memory that holds it.
    """
    named = tuple(parts)
    by_carrier = [(key, board) for key, board in boards.items() if set(board.carriers) & set(named)]
    found = by_carrier or [(key, board) for key, board in boards.items() if set(board.modules) & set(named)]
    if len(found) <= 1:
        return found[0][0] if found else None
    if total_bytes is None:
        return None
    sizes = {board.physical_bytes.value: key for key, board in found if board.physical_bytes is not None}
    large_enough = [size for size in sizes if size > total_bytes]
    return sizes[min(large_enough)] if large_enough else None
