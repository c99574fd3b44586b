"""Jetson Orin Nano 4GB (p3767-0004)."""

from memfit.device.boards._board import Board, Figure, datasheet, power_table
from memfit.device.boards._clocks import NANO_4GB, NANO_4GB_SUPER
from memfit.device.boards._orin import (
    ALLOCATION,
    AMPERE,
    CAPABILITY,
    COMPTAGS,
    FILES,
    INSTRUCTIONS,
    NO_DLA,
    NVDEC_OF_CHIP,
    nano_desktop,
)
from memfit.units import GIB, MIB

BOARD = Board(
    name="Orin Nano 4GB",
    modules=("p3767-0004",),
    physical_bytes=datasheet(4 * GIB, "64-bit LPDDR5"),
    total_bytes=Figure(
        3_588 * MIB,
        "inferred",
        "4096 MiB less what the 8 GB module loses before Linux counts it (carveouts 249.4, kernel and SWIOTLB 194.7) "
        "and 64 of struct pages; no log is known",
    ),
    desktop_bytes=nano_desktop(),
    headless_bytes=Figure(763 * MIB, "inferred", "as the 8 GB module; no log is known"),
    bandwidth_bytes_per_s=datasheet(34 * 10**9),
    super_bandwidth_bytes_per_s=datasheet(51 * 10**9),
    gpu=AMPERE,
    compute_capability=CAPABILITY,
    sms=datasheet(4),
    cuda_cores=datasheet(512),
    gpu_hz=datasheet(625 * 10**6),
    super_gpu_hz=datasheet(1020 * 10**6),
    cpu_hz=datasheet(1510 * 10**6),
    super_cpu_hz=datasheet(1728 * 10**6),
    threads=datasheet(6),
    instructions=INSTRUCTIONS,
    power=(
        power_table("p3767_0004_super", FILES, "10W", "25W", "MAXN_SUPER", default_id=1, clocks=NANO_4GB_SUPER),
        power_table("p3767_0004", FILES, "10W", "7W_AI", "7W_CPU", default_id=0, clocks=NANO_4GB),
    ),
    dlas=NO_DLA,
    pvas=NO_DLA,
    nvencs=NO_DLA,
    nvdecs=NVDEC_OF_CHIP,
    bugs=(ALLOCATION, COMPTAGS),
    aliases=("jetson orin nano 4gb", "orin nano super 4gb", "p3767 0004"),
)
