"""What carveouts are for, in a few words each, and why most of them stay.

Names are those of NVIDIA's boot configurations without ``CARVEOUT_``. What is given up by a recipe has its cost there.
"""

from __future__ import annotations

_SECURE = "the secure world runs in it"
_FIRMWARE = "firmware that the board needs to run"

PURPOSES: dict[str, tuple[str, str]] = {
    "APE": ("audio processor", "sound needs it, and nobody published how it can go"),
    "APR": ("audio protected region", "not in R36 any more"),
    "BPMP": ("boot and power processor", _FIRMWARE),
    "BPMP_DCE": ("shared by power and display processors", ""),
    "CAMERA_TASKLIST": ("task lists of the camera processor", ""),
    "CCPLEX_INTERWORLD_SHMEM": ("shared with the secure world; inside of what Linux is handed", _SECURE),
    "CCPLEX_IST": ("in-system test of the CPU", ""),
    "DCE": ("display controller's firmware", ""),
    "DCE_TSEC": ("shared by display and security processors", ""),
    "DISP_EARLY_BOOT_FB": ("frame buffer at boot", ""),
    "DRAM_ECC_TEST": ("test of DRAM's error correction", "64 KiB, and MB1 uses it"),
    "ETR": ("trace buffer", "debugging; nobody published how it can go"),
    "FSI": ("functional safety island", ""),
    "FSI_CPU_NS": ("shared by the safety island and the CPU", ""),
    "FSI_KEY_BLOB": ("keys of the safety island", "192 KiB at most: it stays"),
    "MCE_COVERAGE": ("coverage data of the CPU cluster's firmware", "nobody published how it can go"),
    "OEM_SC7": ("state kept through suspend", "suspend to RAM needs it"),
    "OPTEE_DTB": ("device tree of the secure world", _SECURE),
    "PROFILING": ("boot profile", "MB1 and MB2 write to it"),
    "PSC_TZ": ("platform security controller", _SECURE),
    "PVA": ("vision accelerator's firmware", "a board without it uses NVIDIA's own -no-pva.dts"),
    "RAM_OOPS": ("the last words of a kernel that crashed", "the kernel's tree names it as well"),
    "RCE": ("camera processor's firmware", ""),
    "RCM_BLOB": ("recovery image", "given back to Linux by UEFI"),
    "SCE": ("safety cluster engine", _FIRMWARE),
    "SCE_CPU_NS": ("shared by that engine and the CPU", _FIRMWARE),
    "SPE": ("sensor processor", _FIRMWARE),
    "TEMP_MB2_IO_BUFFERS": ("buffers of MB2", "temporary: gone before Linux starts"),
    "TSEC_DCE": ("shared by security and display processors", ""),
    "TZDRAM": ("the secure world", _SECURE),
    "UEFI": ("the boot firmware", _FIRMWARE),
    "UEFI_MM_IPC": ("between UEFI and the secure world", _SECURE),
    "VPR": ("protected video", ""),
    "WPR1": ("GPU's protected region", "the GPU needs it"),
    "WPR2": ("GPU's protected region", "the GPU needs it"),
    "XUSB": ("USB controller's firmware", "USB needs it"),
}
"""By name: what it is, and why it stays; empty where a recipe gives it up."""

NOT_KEPT = ("RCM_BLOB", "TEMP_MB2_IO_BUFFERS")
"""What Linux gets after all."""
