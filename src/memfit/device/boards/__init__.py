"""Boards as data, one file each: what Linux has there, and how that is known."""

from pathlib import Path

from memfit.catalog import Catalog
from memfit.device.boards._board import Board

BOARDS: Catalog[Board] = Catalog(__name__, Path(__file__).parent, constant="BOARD", kind="device", type=Board)

__all__ = ["BOARDS", "Board"]
