"""Orin Nano 8GB (p3767-0003)."""

from memfit.bsp.boards._board import orin_nx_nano

BOARD = orin_nx_nano("Orin Nano 8GB", "0003", "orin nano 8gb")
