"""Orin NX 8GB (p3767-0001)."""

from memfit.bsp.boards._board import orin_nx_nano

BOARD = orin_nx_nano("Orin NX 8GB", "0001", "orin nx 8gb")
