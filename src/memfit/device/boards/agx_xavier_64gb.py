"""Jetson AGX Xavier 64GB (p2888-0005)."""

from memfit.device.boards._board import Board, datasheet
from memfit.device.boards._orin import AT_LEAST_ONE, budget, budget_headless
from memfit.device.boards._xavier import AGX_POWER, CAPABILITY, DLAS, INSTRUCTIONS, PVAS, VOLTA
from memfit.units import GIB

BOARD = Board(
    name="AGX Xavier 64GB",
    modules=("p2888-0005",),
    physical_bytes=datasheet(64 * GIB),
    desktop_bytes=budget(),
    headless_bytes=budget_headless(),
    bandwidth_bytes_per_s=datasheet(136_500 * 10**6),
    gpu=VOLTA,
    compute_capability=CAPABILITY,
    sms=datasheet(8),
    cuda_cores=datasheet(512),
    gpu_hz=datasheet(1_377 * 10**6),
    cpu_hz=datasheet(2_265 * 10**6),
    threads=datasheet(8),
    instructions=INSTRUCTIONS,
    power=(AGX_POWER,),
    dlas=DLAS,
    pvas=PVAS,
    nvencs=datasheet(1, AT_LEAST_ONE),
    aliases=("jetson agx xavier 64gb",),
)
