"""Jetson AGX Orin 64GB (p3701-0005, and developer kits p3701-0000 with that much)."""

from memfit.device.boards._board import Board, Figure, datasheet
from memfit.device.boards._orin import (
    ALLOCATION,
    AMPERE,
    AT_LEAST_ONE,
    CAPABILITY,
    COMPTAGS,
    INSTRUCTIONS,
    NVDEC_OF_TREE,
    P3701_64,
    budget,
    budget_headless,
)
from memfit.units import GIB, MIB

BOARD = Board(
    name="AGX Orin 64GB",
    modules=("p3701-0005", "p3701-0000"),
    physical_bytes=datasheet(64 * GIB, "256-bit LPDDR5"),
    total_bytes=Figure(62_841 * MIB, "measured", "tegrastats logs of two boards, one with R36.4.7"),
    desktop_bytes=budget(),
    headless_bytes=budget_headless(),
    bandwidth_bytes_per_s=datasheet(204_800 * 10**6),
    gpu=AMPERE,
    compute_capability=CAPABILITY,
    sms=datasheet(16),
    cuda_cores=datasheet(2048),
    gpu_hz=datasheet(1_301 * 10**6),
    cpu_hz=datasheet(2_200 * 10**6),
    threads=Figure(12, "measured", "tegrastats has twelve cores"),
    instructions=INSTRUCTIONS,
    power=(P3701_64,),
    dlas=datasheet(2),
    pvas=datasheet(1),
    nvencs=datasheet(1, AT_LEAST_ONE),
    nvdecs=NVDEC_OF_TREE,
    bugs=(ALLOCATION, COMPTAGS),
    aliases=("agx orin", "jetson agx orin", "jetson agx orin 64gb", "p3701 0005"),
)
