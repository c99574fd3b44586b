"""Jetson Orin NX 8GB (p3767-0001)."""

from memfit.device.boards._board import Board, Figure, datasheet, power_table
from memfit.device.boards._clocks import NX_8GB, NX_8GB_SUPER
from memfit.device.boards._orin import (
    ALLOCATION,
    AMPERE,
    AT_LEAST_ONE,
    CAPABILITY,
    COMPTAGS,
    FILES,
    INSTRUCTIONS,
    NVDEC_OF_CHIP,
    nano_desktop,
    nano_total,
)
from memfit.units import GIB, MIB

BOARD = Board(
    name="Orin NX 8GB",
    modules=("p3767-0001",),
    physical_bytes=datasheet(8 * GIB),
    total_bytes=nano_total("inferred"),
    desktop_bytes=nano_desktop(),
    headless_bytes=Figure(763 * MIB, "inferred", "as the Orin Nano 8GB; no log is known"),
    bandwidth_bytes_per_s=datasheet(102 * 10**9),
    gpu=AMPERE,
    compute_capability=CAPABILITY,
    sms=datasheet(8),
    cuda_cores=datasheet(1024),
    gpu_hz=datasheet(765 * 10**6),
    super_gpu_hz=Figure(
        1_173 * 10**6, "source", "MAX_FREQ of 40W in nvpmodel_p3767_0001_super.conf; MAXN_SUPER sets none"
    ),
    cpu_hz=datasheet(1984 * 10**6),
    threads=datasheet(6),
    instructions=INSTRUCTIONS,
    power=(
        power_table(
            "p3767_0001_super", FILES, "MAXN_SUPER", "10W", "15W", "20W", "40W", default_id=4, clocks=NX_8GB_SUPER
        ),
        power_table("p3767_0001", FILES, "MAXN", "10W", "15W", "20W", default_id=2, clocks=NX_8GB),
    ),
    dlas=datasheet(1),
    pvas=datasheet(1),
    nvencs=datasheet(1, AT_LEAST_ONE),
    nvdecs=NVDEC_OF_CHIP,
    bugs=(ALLOCATION, COMPTAGS),
    aliases=("jetson orin nx 8gb", "p3767 0001"),
)
