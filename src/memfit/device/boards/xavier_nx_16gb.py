"""Jetson Xavier NX 16GB (p3668-0003)."""

from memfit.device.boards._board import Board, datasheet
from memfit.device.boards._orin import AT_LEAST_ONE, budget, budget_headless
from memfit.device.boards._xavier import CAPABILITY, DLAS, INSTRUCTIONS, NX_POWER, PVAS, VOLTA
from memfit.units import GIB

BOARD = Board(
    name="Xavier NX 16GB",
    modules=("p3668-0003",),
    physical_bytes=datasheet(16 * GIB),
    desktop_bytes=budget(),
    headless_bytes=budget_headless(),
    bandwidth_bytes_per_s=datasheet(59_700 * 10**6),
    gpu=VOLTA,
    compute_capability=CAPABILITY,
    sms=datasheet(6),
    cuda_cores=datasheet(384),
    gpu_hz=datasheet(1_100 * 10**6),
    cpu_hz=datasheet(1_900 * 10**6),
    threads=datasheet(6),
    instructions=INSTRUCTIONS,
    power=(NX_POWER,),
    dlas=DLAS,
    pvas=PVAS,
    nvencs=datasheet(1, AT_LEAST_ONE),
    aliases=("jetson xavier nx 16gb",),
)
