"""Modules whose boot configuration memfit knows, one file each."""

from pathlib import Path

from memfit.bsp.boards._board import BspBoard
from memfit.catalog import Catalog

BSP_BOARDS: Catalog[BspBoard] = Catalog(
    __name__, Path(__file__).parent, constant="BOARD", kind="board of a BSP", type=BspBoard
)

__all__ = ["BSP_BOARDS", "BspBoard"]
