"""Jetson AGX Xavier 32GB (p2888-0004)."""

from memfit.device.boards._board import Board, Figure, datasheet
from memfit.device.boards._orin import AT_LEAST_ONE, budget, budget_headless
from memfit.device.boards._xavier import AGX_POWER, CAPABILITY, DLAS, INSTRUCTIONS, PVAS, VOLTA
from memfit.units import GIB, MIB

BOARD = Board(
    name="AGX Xavier 32GB",
    modules=("p2888-0004",),
    physical_bytes=datasheet(32 * GIB),
    total_bytes=Figure(31_900 * MIB, "inferred", "about 31,900 MiB; no log of one is at hand"),
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
    aliases=(
        "agx xavier",
        "jetson agx xavier",
        "jetson agx xavier 32gb",
    ),
)
