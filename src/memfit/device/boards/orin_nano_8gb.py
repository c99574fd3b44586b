"""Jetson Orin Nano 8GB (p3767-0003, developer kit p3767-0005), also as Super."""

from memfit.device.boards._board import Board, Figure, datasheet, power_table
from memfit.device.boards._clocks import NANO_8GB, NANO_8GB_SUPER
from memfit.device.boards._orin import (
    ALLOCATION,
    AMPERE,
    CAPABILITY,
    COMPTAGS,
    FILES,
    INSTRUCTIONS,
    NO_DLA,
    NVDEC,
    QSPI,
    nano_desktop,
    nano_total,
)
from memfit.units import GIB, MIB

BOARD = Board(
    name="Orin Nano 8GB",
    modules=("p3767-0003", "p3767-0005"),
    physical_bytes=datasheet(8 * GIB, "128-bit LPDDR5"),
    total_bytes=nano_total("measured"),
    desktop_bytes=nano_desktop("measured"),
    headless_bytes=Figure(
        763 * MIB,
        "inferred",
        "519 MiB used in a tegrastats log of R36.5.0 before a model is loaded, and the 244 MiB by which MemTotal less "
        "MemAvailable exceeds tegrastats' figure in the meminfo above",
    ),
    bandwidth_bytes_per_s=datasheet(68 * 10**9, "EMC 2133 MHz in tegrastats"),
    super_bandwidth_bytes_per_s=datasheet(102 * 10**9, "EMC 3199 MHz in tegrastats"),
    gpu=AMPERE,
    compute_capability=CAPABILITY,
    sms=datasheet(8),
    cuda_cores=datasheet(1024),
    gpu_hz=datasheet(625 * 10**6),
    super_gpu_hz=datasheet(1_020 * 10**6, "with 8 SMs 67 sparse INT8 TOPS, as the data sheet has them"),
    cpu_hz=datasheet(1510 * 10**6),
    super_cpu_hz=datasheet(1728 * 10**6),
    threads=Figure(6, "measured", "tegrastats has six cores"),
    instructions=INSTRUCTIONS,
    power=(
        power_table(
            "p3767_0003_super",
            "ARK Electronics docs/power.md and others",
            *("15W", "25W", "MAXN_SUPER", "7W"),
            default_id=1,
            grade="measured",
            clocks=NANO_8GB_SUPER,
        ),
        power_table("p3767_0003", FILES, "15W", "7W", default_id=0, clocks=NANO_8GB),
    ),
    dlas=NO_DLA,
    pvas=NO_DLA,
    nvencs=Figure(0, "measured", "no NVENC in tegrastats; the data sheet has none"),
    nvdecs=NVDEC,
    bugs=(QSPI, ALLOCATION, COMPTAGS),
    aliases=(
        "orin nano",
        "jetson orin nano",
        "jetson orin nano 8gb",
        "orin nano super",
        "orin nano super 8gb",
        "p3767 0003",
        "p3767 0005",
    ),
)
