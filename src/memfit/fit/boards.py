"""On which boards a model runs, and which is the smallest."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from memfit.device import find_device
from memfit.device.boards import BOARDS
from memfit.fit.records import FitRow, Wish
from memfit.fit.search import fit


class BoardRow(msgspec.Struct, frozen=True, kw_only=True):
    """The best row of a model on one board.

    ``capacity_bytes`` is what a stock system leaves there.
    """

    device: str
    capacity_bytes: int
    row: FitRow


class BoardsOf(msgspec.Struct, frozen=True, kw_only=True):
    """A model on every board of which enough is known, smallest first.

    Attributes:
        smallest: the first board where it fits as asked; None where it fits nowhere.
    """

    model: str
    wish: Wish
    boards: tuple[BoardRow, ...]
    smallest: str | None
    notes: tuple[str, ...] = ()
    schema_version: int = 1


def boards_of(model: str, wish: Wish) -> BoardsOf:
    """The model on every board whose memory is known.

    Raises:
        UnknownName, ModelError: as ``fit``.
    """
    rows: list[BoardRow] = []
    for key, board in BOARDS.items():
        if board.capacity_bytes is None or not board.modules:
            continue
        device = find_device(key)
        found = fit(device, wish, models=(model,)).rows
        if found:
            rows.append(BoardRow(device=device.name, capacity_bytes=device.capacity_bytes, row=found[0]))
    rows.sort(key=lambda one: (one.capacity_bytes, one.device))
    name = rows[0].row.model if rows else model
    return BoardsOf(model=name, wish=wish, boards=tuple(rows), smallest=_smallest(rows))


def _smallest(rows: Sequence[BoardRow]) -> str | None:
    return next((one.device for one in rows if one.row.verdict in ("comfortable", "tight")), None)
