"""What the Orin boards have in common."""

from __future__ import annotations

from memfit.device.boards._board import Bug, Figure, datasheet, power_table
from memfit.device.boards._clocks import AGX_64GB, NX_16GB_SUPER
from memfit.device.records import Grade
from memfit.units import KIB, MIB

AMPERE = Figure("Ampere", "source", "tegra234 (GA10B) in the device trees of L4T")
CAPABILITY = Figure("8.7", "source", "CUDA architecture of Tegra234 in OE4T/meta-tegra")
INSTRUCTIONS: Figure[tuple[str, ...]] = Figure(
    ("neon", "dotprod"), "measured", "lscpu of an AGX Orin (Cortex-A78AE): asimd, asimddp, no i8mm"
)

NANO_TOTAL_BYTES = 7_802_736 * KIB
NANO_DESKTOP_BYTES = (7_802_736 - 6_245_596) * KIB
_NANO_MEMINFO = "meminfo of an Orin Nano developer kit, JetPack 6.1 (R36.4)"

BUDGET_BYTES = 2_000 * 10**6
BUDGET_SOURCE = (
    "system and JetPack take 1.5 to 2 GB after 'The Memory Budget' §6 (of an Orin NX 16GB); not measured here"
)
DESKTOP_SAVES_BYTES = 500 * 10**6
DESKTOP_SOURCE = "less the 500 MB that 'LLM Optimization on Jetson' gives a desktop (NVIDIA: up to 865 MB)"


def nano_desktop(grade: Grade = "inferred") -> Figure[int]:
    """MemTotal less MemAvailable of the one board of this family that a full meminfo is known of."""
    said = "it has 153 MiB of shared memory and 286 MiB swapped out, as a desktop has"
    of = "" if grade == "measured" else "; taken over from it"
    return Figure(NANO_DESKTOP_BYTES, grade, f"{_NANO_MEMINFO}: {said}{of}")


def nano_total(grade: Grade) -> Figure[int]:
    """MemTotal of 8 GB on this module."""
    of = "" if grade == "measured" else "; the same DRAM and carveouts (p3767)"
    return Figure(NANO_TOTAL_BYTES, grade, f"{_NANO_MEMINFO}{of}")


def budget() -> Figure[int]:
    """What a system with desktop takes where nobody measured it."""
    return Figure(BUDGET_BYTES, "inferred", BUDGET_SOURCE)


def budget_headless() -> Figure[int]:
    """The same without a desktop."""
    return Figure(BUDGET_BYTES - DESKTOP_SAVES_BYTES, "inferred", f"{BUDGET_SOURCE}; {DESKTOP_SOURCE}")


_ARK = "ARK Electronics docs/power.md (R36.5.0)"
FILES = "NVIDIA's file of this name, in LineageOS/android_device_nvidia_concord"
P3767_NX_SUPER = power_table(
    "p3767_0000_super",
    _ARK,
    *("MAXN_SUPER", "10W", "15W", "25W", "40W"),
    default_id=4,
    grade="measured",
    clocks=NX_16GB_SUPER,
)
P3701_64 = power_table(
    "p3701_0000",
    "nvpmodel of an AGX Orin 64GB",
    *("MAXN", "MODE_15W", "MODE_30W", "MODE_50W"),
    default_id=2,
    grade="measured",
    clocks=AGX_64GB,
)
NO_DLA = datasheet(0)
NVDEC = Figure(1, "measured", "tegrastats has one NVDEC")
NVDEC_OF_TREE = Figure(1, "source", "one nvdec, enabled, in the device tree of p3701-0005 (R36.2)")
NVDEC_OF_CHIP = Figure(1, "inferred", "the chip's one, enabled on p3701-0005 and p3767-0003 (R36.2); no log is known")
AT_LEAST_ONE = "one or more: the count was not re-read"

ALLOCATION = Bug(
    name="large allocations fail",
    says="since the fix of CVE-2025-33177 large cudaMalloc calls fail (NvMapMemAllocInternalTagged: error 12) with "
    "memory to spare; 6.2.2 mended a part of it",
    mend="update to R36.5 (JetPack 6.2.2), or use an engine that allocates virtual memory",
    since="36.4.7",
    grade="measured",
    source="kernel logs of R36.4.7 and R36.5 with llama.cpp and TensorRT Edge-LLM",
    before="37.0",
)
COMPTAGS = Bug(
    name="the GPU needs contiguous memory",
    says="at power-on nvgpu takes MemTotal/256 from CMA in one piece; where CMA is smaller, or in use by then, the GPU "
    "does not come up",
    mend="keep CMA as the device tree has it (256 MiB on p3767, 512 MiB on p3701)",
    grade="measured",
    source="kernel log of an AGX Orin with R36.3 (257,490,944 bytes); OE4T/meta-tegra issue 1613",
)
QSPI = Bug(
    name="old firmware hides memory",
    says="with boot firmware (QSPI) from before JetPack 5.1.1 Linux sees about 6.3 GiB of 8",
    mend="update the firmware in QSPI by flashing JetPack 5.1.1 or newer once",
    bytes=1024 * MIB,
    grade="measured",
    source="Jetson-Flash-Manager issue 1",
)
