"""AGX Orin 32GB (p3701-0004)."""

from memfit.bsp.boards._board import agx_orin

BOARD = agx_orin("AGX Orin 32GB", "0004", "agx orin 32gb")
