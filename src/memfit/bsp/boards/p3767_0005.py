"""Orin Nano 8GB of the developer kit (p3767-0005)."""

from memfit.bsp.boards._board import orin_nx_nano

BOARD = orin_nx_nano("Orin Nano 8GB of the developer kit", "0005", "orin nano devkit")
