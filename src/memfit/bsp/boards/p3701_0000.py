"""AGX Orin of the developer kit (p3701-0000)."""

from memfit.bsp.boards._board import agx_orin

BOARD = agx_orin("AGX Orin of the developer kit", "0000", "agx orin devkit")
