"""Jetson AGX Thor T5000, 128 GB (p3834-0008)."""

from memfit.device.boards._board import Board, Figure, datasheet, power_table
from memfit.device.boards._orin import budget, budget_headless
from memfit.device.boards._thor import BLACKWELL, CAPABILITY, INSTRUCTIONS, NO_DLA, NVMAP, PVA
from memfit.units import GIB, MIB

_MODES = "rbonghi/jetson_stats issue 820"

BOARD = Board(
    name="Thor T5000",
    modules=("p3834-0008",),
    physical_bytes=datasheet(128 * GIB, "256-bit LPDDR5X"),
    total_bytes=Figure(125_772 * MIB, "measured", "tegrastats logs of R38.4.0 and of JetPack 7"),
    desktop_bytes=budget(),
    headless_bytes=budget_headless(),
    bandwidth_bytes_per_s=datasheet(273 * 10**9),
    gpu=BLACKWELL,
    compute_capability=CAPABILITY,
    sms=datasheet(20),
    cuda_cores=datasheet(2560),
    gpu_hz=datasheet(1_575 * 10**6, "with 20 SMs 2,064 sparse FP4 TFLOPS, of 2,070 in the data sheet"),
    cpu_hz=datasheet(2_600 * 10**6),
    threads=Figure(14, "measured", "tegrastats has 14 cores"),
    instructions=INSTRUCTIONS,
    power=(power_table("p3834_0008", _MODES, "MAXN", "120W", "90W", "70W", default_id=1, grade="measured"),),
    dlas=NO_DLA,
    pvas=PVA,
    nvencs=Figure(2, "measured", "tegrastats has NVENC0 and NVENC1"),
    nvdecs=Figure(2, "measured", "tegrastats has NVDEC0 and NVDEC1"),
    bugs=(NVMAP,),
    aliases=("thor", "agx thor", "jetson thor", "jetson agx thor", "t5000", "p3834 0008"),
)
