"""AGX Orin 64GB (p3701-0005)."""

from memfit.bsp.boards._board import agx_orin

BOARD = agx_orin("AGX Orin 64GB", "0005", "agx orin 64gb")
