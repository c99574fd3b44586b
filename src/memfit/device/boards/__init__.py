"""Boards as data, one file each: what is known of them, and how."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from memfit.catalog import Catalog
from memfit.device.boards._board import Board, Bug, Clocks, Figure, PowerTable
from memfit.device.boards._match import match, part_numbers

BOARDS: Catalog[Board] = Catalog(__name__, Path(__file__).parent, constant="BOARD", kind="device", type=Board)

__all__ = ["BOARDS", "Board", "Bug", "Clocks", "Figure", "PowerTable", "find_board", "part_numbers"]


def find_board(
    compatible: Iterable[str], boot_spec: str | None = None, *, total_bytes: int | None = None
) -> tuple[str, Board] | None:
    """The key and the board of a machine by its device tree's ``compatible`` and its boot spec; None where unknown.

    ``total_bytes`` is MemTotal, which tells developer kits of the same number apart.
    """
    key = match(BOARDS, part_numbers(compatible, boot_spec), total_bytes)
    return None if key is None else (key, BOARDS.get(key))
