"""Orin Nano 4GB (p3767-0004)."""

from memfit.bsp.boards._board import orin_nx_nano

BOARD = orin_nx_nano("Orin Nano 4GB", "0004", "orin nano 4gb")
