"""Jetson Xavier NX 8GB (p3668-0001, developer kit p3668-0000)."""

from memfit.device.boards._board import Board, Figure, datasheet
from memfit.device.boards._orin import AT_LEAST_ONE, budget, budget_headless
from memfit.device.boards._xavier import CAPABILITY, DLAS, INSTRUCTIONS, NX_POWER, PVAS, VOLTA
from memfit.units import GIB, MIB

BOARD = Board(
    name="Xavier NX 8GB",
    modules=("p3668-0000", "p3668-0001"),
    physical_bytes=datasheet(8 * GIB),
    total_bytes=Figure(6_834 * MIB, "measured", "a log of JetPack 5; an older release showed 7,627 MiB"),
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
    aliases=(
        "xavier nx",
        "jetson xavier nx",
        "jetson xavier nx 8gb",
    ),
)
