"""Orin NX 16GB (p3767-0000)."""

from memfit.bsp.boards._board import orin_nx_nano

BOARD = orin_nx_nano("Orin NX 16GB", "0000", "orin nx 16gb")
