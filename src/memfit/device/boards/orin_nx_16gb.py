"""Jetson Orin NX 16GB (p3767-0000)."""

from memfit.device.boards._board import Board, Figure, datasheet, power_table
from memfit.device.boards._clocks import NX_16GB
from memfit.device.boards._orin import (
    ALLOCATION,
    AMPERE,
    AT_LEAST_ONE,
    CAPABILITY,
    COMPTAGS,
    DESKTOP_SAVES_BYTES,
    DESKTOP_SOURCE,
    FILES,
    INSTRUCTIONS,
    NVDEC_OF_CHIP,
    P3767_NX_SUPER,
)
from memfit.units import GIB, MIB

_SYSTEM_BYTES = 1_800 * 10**6
_SYSTEM = "1.8 GB as budgeted in 'The Memory Budget' §8, not measured"

BOARD = Board(
    name="Orin NX 16GB",
    modules=("p3767-0000",),
    physical_bytes=datasheet(16 * GIB),
    total_bytes=Figure(15_656 * MIB, "measured", "tegrastats logs of two boards"),
    desktop_bytes=Figure(_SYSTEM_BYTES, "inferred", _SYSTEM),
    headless_bytes=Figure(_SYSTEM_BYTES - DESKTOP_SAVES_BYTES, "inferred", f"{_SYSTEM}; {DESKTOP_SOURCE}"),
    bandwidth_bytes_per_s=datasheet(102 * 10**9),
    gpu=AMPERE,
    compute_capability=CAPABILITY,
    sms=datasheet(8),
    cuda_cores=datasheet(1024),
    gpu_hz=datasheet(918 * 10**6),
    super_gpu_hz=Figure(
        1_173 * 10**6, "source", "MAX_FREQ of 40W in nvpmodel_p3767_0000_super.conf; MAXN_SUPER sets none"
    ),
    cpu_hz=datasheet(1984 * 10**6),
    threads=Figure(8, "measured", "tegrastats has eight cores"),
    instructions=INSTRUCTIONS,
    power=(
        P3767_NX_SUPER,
        power_table("p3767_0000", FILES, "MAXN", "10W", "15W", "25W", default_id=2, clocks=NX_16GB),
    ),
    dlas=datasheet(2),
    pvas=datasheet(1),
    nvencs=datasheet(1, AT_LEAST_ONE),
    nvdecs=NVDEC_OF_CHIP,
    bugs=(ALLOCATION, COMPTAGS),
    aliases=("orin nx", "jetson orin nx", "jetson orin nx 16gb", "p3767 0000"),
)
