"""Jetson AGX Orin Industrial (p3701-0008). How much of its 64 GB Linux sees with ECC on is not known."""

from memfit.device.boards._board import Board, datasheet
from memfit.device.boards._orin import (
    ALLOCATION,
    AMPERE,
    AT_LEAST_ONE,
    CAPABILITY,
    COMPTAGS,
    INSTRUCTIONS,
    NVDEC_OF_CHIP,
    budget,
    budget_headless,
)
from memfit.units import GIB

BOARD = Board(
    name="AGX Orin Industrial",
    modules=("p3701-0008",),
    physical_bytes=datasheet(64 * GIB, "256-bit LPDDR5 with ECC"),
    desktop_bytes=budget(),
    headless_bytes=budget_headless(),
    bandwidth_bytes_per_s=datasheet(204_800 * 10**6),
    gpu=AMPERE,
    compute_capability=CAPABILITY,
    sms=datasheet(16),
    cuda_cores=datasheet(2048),
    threads=datasheet(12),
    instructions=INSTRUCTIONS,
    dlas=datasheet(2),
    pvas=datasheet(1),
    nvencs=datasheet(1, AT_LEAST_ONE),
    nvdecs=NVDEC_OF_CHIP,
    bugs=(ALLOCATION, COMPTAGS),
    aliases=("jetson agx orin industrial", "p3701 0008"),
)
