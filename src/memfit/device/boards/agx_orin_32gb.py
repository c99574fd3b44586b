"""Jetson AGX Orin 32GB (p3701-0004, and developer kits p3701-0000 with that much)."""

from memfit.device.boards._board import Board, Bug, Figure, datasheet, power_table
from memfit.device.boards._clocks import AGX_32GB
from memfit.device.boards._orin import (
    ALLOCATION,
    AMPERE,
    AT_LEAST_ONE,
    CAPABILITY,
    COMPTAGS,
    FILES,
    INSTRUCTIONS,
    NVDEC_OF_CHIP,
    budget,
    budget_headless,
)
from memfit.units import GIB, KIB

BOARD = Board(
    name="AGX Orin 32GB",
    modules=("p3701-0004", "p3701-0000"),
    physical_bytes=datasheet(32 * GIB, "256-bit LPDDR5"),
    total_bytes=Figure(7_850_619 * 4 * KIB, "measured", "pages of RAM in a kernel log of R36.4"),
    desktop_bytes=budget(),
    headless_bytes=budget_headless(),
    bandwidth_bytes_per_s=datasheet(204_800 * 10**6),
    gpu=AMPERE,
    compute_capability=CAPABILITY,
    sms=datasheet(14),
    cuda_cores=datasheet(1792),
    gpu_hz=datasheet(930 * 10**6),
    cpu_hz=datasheet(2_200 * 10**6),
    threads=datasheet(8, "the developer kit with 32 GB has 12"),
    instructions=INSTRUCTIONS,
    power=(
        power_table("p3701_0004", FILES, "MAXN", "MODE_15W", "MODE_30W", "MODE_40W", default_id=2, clocks=AGX_32GB),
    ),
    dlas=datasheet(2),
    pvas=datasheet(1),
    nvencs=datasheet(1, AT_LEAST_ONE),
    nvdecs=NVDEC_OF_CHIP,
    bugs=(
        ALLOCATION,
        COMPTAGS,
        Bug(
            name="power modes of the other module",
            says="nvpmodel fails with p3701_0000's modes: they name cores that this module does not have",
            mend="link /etc/nvpmodel.conf to nvpmodel_p3701_0004.conf",
            grade="measured",
            source="anduril/jetpack-nixos issue 287",
        ),
    ),
    aliases=("jetson agx orin 32gb", "p3701 0004"),
)
