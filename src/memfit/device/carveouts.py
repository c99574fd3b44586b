"""DRAM that never reaches Linux: where it lies, and what a board's boot configuration gives it to.

Two ways to know it. The **holes** between the ranges that Linux was handed are measured: their sum is what is gone.
The **boot configuration** (BCT) names who asked for how much; its sum differs by up to 3 MiB from the holes, because
MB1 keeps some memory of its own and because INTERWORLD_SHMEM lies inside of what Linux was handed. So the figures of a
ledger are the holes', and the BCT's names stand beside them.

Sizes: NVIDIA's ``tegra234-mb1-bct-misc-*.dts`` of the BSPs R35.3.1 and R36.2 (BSD-3-Clause), preprocessed and merged;
of Thor the defaults of R38. RCM_BLOB (512 MiB, given back by UEFI) and TEMP_MB2_IO_BUFFERS (8 MiB, temporary) are left
out. All p3701 variants of a BSP are alike.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from memfit.device.spans import Span, without
from memfit.units import KIB, MIB

Use = Literal["display", "camera", "video", "safety", ""]

DRAM_BASE = 0x8000_0000
"""Where DRAM begins on Tegra; it is contiguous from there (boot logs: ``Faking a node at``)."""


class Carveout(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a boot configuration; ``use`` says what it serves where it could be given up."""

    name: str
    bytes: int
    use: Use = ""


def holes(physical_bytes: int, ranges: tuple[Span, ...]) -> tuple[Span, ...] | None:
    """The parts of DRAM that Linux was not handed; None where the ranges do not fit that much DRAM from its base on."""
    dram = Span(DRAM_BASE, DRAM_BASE + physical_bytes)
    if not ranges or ranges[0].start < dram.start or max(span.end for span in ranges) > dram.end:
        return None
    return without((dram,), ranges)


def unmapped(ranges: tuple[Span, ...]) -> tuple[Span, ...]:
    """Ranges that Linux was handed and may not touch (firmware tables, UEFI's run-time code), as far as a log shows it.

    ``Early memory node ranges`` prints two touching ranges as two only where their flags differ
    (``mm/memblock.c:memblock_merge_regions``), and on arm64 the one flag in use is NOMAP. So in a run of touching
    ranges every other one is unmapped; the largest is not.
    """
    found: list[Span] = []
    for run in _runs(ranges):
        largest = max(range(len(run)), key=lambda index: run[index].bytes)
        found += [span for index, span in enumerate(run) if (index - largest) % 2]
    return tuple(found)


def _runs(ranges: tuple[Span, ...]) -> list[list[Span]]:
    runs: list[list[Span]] = []
    for span in sorted(ranges):
        if runs and runs[-1][-1].end == span.start:
            runs[-1].append(span)
        else:
            runs.append([span])
    return runs


_T234_R36: dict[str, int] = {
    "TZDRAM": 64 * MIB,
    "CAMERA_TASKLIST": 32 * MIB,
    "CCPLEX_INTERWORLD_SHMEM": 32 * MIB,
    "DCE": 32 * MIB,
    "DISP_EARLY_BOOT_FB": 34 * MIB,
    "OEM_SC7": 16 * MIB,
    "MCE_COVERAGE": 8 * MIB,
    "WPR2": 8 * MIB,
    "APE": 4 * MIB,
    "PSC_TZ": 4 * MIB,
    "UEFI": 4 * MIB,
    "PVA": 2560 * KIB,
    "PROFILING": 2 * MIB,
    "RAM_OOPS": 2 * MIB,
    "DCE_TSEC": MIB,
    "ETR": MIB,
    "RCE": MIB,
    "SCE": MIB,
    "SPE": MIB,
    "TSEC_DCE": MIB,
    "XUSB": MIB,
    "OPTEE_DTB": 128 * KIB,
    "UEFI_MM_IPC": 128 * KIB,
    "DRAM_ECC_TEST": 64 * KIB,
    "SCE_CPU_NS": 64 * KIB,
}
_T234_R35 = {
    **{name: size for name, size in _T234_R36.items() if name not in ("DISP_EARLY_BOOT_FB", "DCE_TSEC", "PVA")},
    "CCPLEX_IST": 512 * MIB,
    "APR": 8 * MIB,
    "OEM_SC7": 14 * MIB,
    "PROFILING": 64 * KIB,
}
_P3701 = {"VPR": 872 * MIB, "FSI": 32 * MIB, "FSI_CPU_NS": 16 * MIB}
_THOR_R38 = {
    "VPR": 872 * MIB,
    "WPR1": 512 * MIB,
    "TZDRAM": 80 * MIB,
    "DISP_EARLY_BOOT_FB": 64 * MIB,
    "ETR": 32 * MIB,
    "RAM_OOPS": 2 * MIB,
    "HPSE_CCPLEX": MIB,
    "OPTEE_DTB": 128 * KIB,
}
_TABLES: dict[tuple[str, int], dict[str, int]] = {
    ("p3767", 35): _T234_R35,
    ("p3767", 36): _T234_R36,
    ("p3701", 35): {**_T234_R35, **_P3701, "FSI_KEY_BLOB": 64 * KIB},
    ("p3701", 36): {**_T234_R36, **_P3701, "CCPLEX_IST": 128 * MIB, "FSI_KEY_BLOB": 192 * KIB},
    ("p3834", 38): _THOR_R38,
}
_USES: dict[str, Use] = {
    "DCE": "display",
    "DCE_TSEC": "display",
    "TSEC_DCE": "display",
    "DISP_EARLY_BOOT_FB": "display",
    "CAMERA_TASKLIST": "camera",
    "RCE": "camera",
    "VPR": "video",
    "FSI": "safety",
    "FSI_CPU_NS": "safety",
    "FSI_KEY_BLOB": "safety",
    "CCPLEX_IST": "safety",
}


def boot_configuration(compatible: tuple[str, ...], l4t: str | None) -> tuple[Carveout, ...]:
    """Carveouts of this module in this release, the largest first; none where the BSP's sources are not known.

    ``compatible`` is the device tree's, such as ``nvidia,p3768-0000+p3767-0005-super``.
    """
    words = " ".join(compatible)
    module = next((module for module in ("p3767", "p3701", "p3834") if module in words), "")
    release = (l4t or "").partition(".")[0]
    table = _TABLES.get((module, int(release)), {}) if release.isdigit() else {}
    entries = [Carveout(name=name, bytes=size, use=_USES.get(name, "")) for name, size in table.items()]
    return tuple(sorted(entries, key=lambda entry: -entry.bytes))
