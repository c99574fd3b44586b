"""Any other Linux machine: nothing is known of it before it is asked."""

from memfit.device.boards._board import Board

BOARD = Board(name="generic Linux", aliases=("generic", "linux", "pc"))
