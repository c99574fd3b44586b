"""Jetson AGX Thor T4000, 64 GB (p3834-0000). The device tree's model may call it a Thor developer kit."""

from memfit.device.boards._board import Board, Figure, datasheet
from memfit.device.boards._orin import budget, budget_headless
from memfit.device.boards._thor import BLACKWELL, CAPABILITY, INSTRUCTIONS, NVMAP
from memfit.units import GIB, MIB

BOARD = Board(
    name="Thor T4000",
    modules=("p3834-0000",),
    physical_bytes=datasheet(64 * GIB, "256-bit LPDDR5X"),
    total_bytes=Figure(
        61_260 * MIB,
        "inferred",
        "65,536 MiB less 1,024 of struct pages and the 3,252 that a T5000 loses besides those; no log is known",
    ),
    desktop_bytes=budget(),
    headless_bytes=budget_headless(),
    bandwidth_bytes_per_s=datasheet(273 * 10**9),
    gpu=BLACKWELL,
    compute_capability=CAPABILITY,
    sms=datasheet(12),
    cuda_cores=datasheet(1536),
    gpu_hz=Figure(1_526 * 10**6, "inferred", "1,200 sparse FP4 TFLOPS of the data sheet by 12 SMs of 65,536 a clock"),
    threads=datasheet(12),
    instructions=INSTRUCTIONS,
    dlas=Figure(0, "inferred", "a T5000 has none"),
    pvas=datasheet(1),
    nvencs=datasheet(1),
    bugs=(NVMAP,),
    aliases=("t4000", "jetson thor t4000", "jetson t4000", "p3834 0000"),
)
