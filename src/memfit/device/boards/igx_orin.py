"""IGX Orin (p3701-0008 or p3701-0002 on carrier p3740-0002). No log of one is known: its figures are data sheet."""

from memfit.device.boards._board import Board, datasheet
from memfit.device.boards._orin import ALLOCATION, AMPERE, CAPABILITY, COMPTAGS, INSTRUCTIONS
from memfit.units import GIB

BOARD = Board(
    name="IGX Orin",
    # the carrier decides: the module alone is an AGX Orin Industrial
    carriers=("p3740-0002",),
    physical_bytes=datasheet(64 * GIB, "LPDDR5 with ECC; beside it the board can hold a discrete GPU with its own"),
    bandwidth_bytes_per_s=datasheet(204_800 * 10**6),
    gpu=AMPERE,
    compute_capability=CAPABILITY,
    sms=datasheet(16),
    cuda_cores=datasheet(2048),
    threads=datasheet(12),
    instructions=INSTRUCTIONS,
    dlas=datasheet(2),
    pvas=datasheet(1),
    bugs=(ALLOCATION, COMPTAGS),
    aliases=("nvidia igx orin", "igx orin 700", "igx orin developer kit"),
)
