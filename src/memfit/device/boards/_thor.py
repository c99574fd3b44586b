"""What the Thor boards have in common."""

from __future__ import annotations

from memfit.device.boards._board import Bug, Figure

BLACKWELL = Figure("Blackwell", "source", "tegra264 (GB10B) in the device trees of L4T")
CAPABILITY = Figure("11.0", "source", "CUDA architecture of Tegra264 in OE4T/meta-tegra")
INSTRUCTIONS: Figure[tuple[str, ...]] = Figure(
    ("neon", "dotprod", "matmul_int8", "sve"), "measured", "cpuinfo of a Thor developer kit (part 0xd83): i8mm, sve"
)
NO_DLA = Figure(0, "measured", "tegrastats has no NVDLA")
PVA = Figure(1, "measured", "tegrastats of a T5000 has PVA0")

NVMAP = Bug(
    name="NvMap shows nothing",
    says="CUDA memory comes from the nvidia driver and not from NvMap: its table says 0K, and no counter of the kernel "
    "has those pages",
    mend="ask NVML (nvidia-smi) for what a process holds",
    since="38.0",
    grade="measured",
    source="rbonghi/jetson_stats pull request 849",
)
