"""Clocks of the power modes of Orin's boards, read from NVIDIA's nvpmodel files.

A mask of powered-down TPCs has a bit for each of the chip's eight; a TPC is two SMs (Tegra234).
"""

from __future__ import annotations

from memfit.device.boards._board import Clocks, Figure

_REPOSITORY = "LineageOS/android_device_nvidia_concord nvpmodel/nvpmodel_"
_MHZ = 10**6
_CHIP_TPCS = 8
_SMS_A_TPC = 2
_LPDDR5_2133 = 2_133 * _MHZ
_LPDDR5_3199 = 3_199 * _MHZ


def _mode(
    name: str,
    gpu_mhz: int | None,
    memory_hz: int | None,
    *,
    off: int,
    cpu_khz: int | None = None,
    cores: int | None = None,
) -> Clocks:
    """One mode as its file says it; ``off`` is TPC_PG_MASK."""
    return Clocks(
        mode=name,
        gpu_hz=None if gpu_mhz is None else gpu_mhz * _MHZ,
        memory_hz=memory_hz,
        cpu_hz=None if cpu_khz is None else cpu_khz * 1000,
        sms=(_CHIP_TPCS - off.bit_count()) * _SMS_A_TPC,
        cores=cores,
    )


def _read(name: str, commit: str, *modes: Clocks) -> Figure[tuple[Clocks, ...]]:
    return Figure(modes, "source", f"{_REPOSITORY}{name}.conf @ {commit}")


NANO_8GB = _read(
    "p3767_0003",
    "640733e60",
    _mode("15W", None, None, off=240, cores=6),
    _mode("7W", 408, _LPDDR5_2133, off=252, cpu_khz=960_000, cores=4),
)
# the file that was read has no 7W; releases from 36.4.3 on have it as id 3, with the GPU at about 408 MHz and the CPU
# at 960 MHz (smolhub.com, "Tiny LLM Benchmark: Jetson Orin Nano Super 8GB", table 5), which are those of the file above
NANO_8GB_SUPER: Figure[tuple[Clocks, ...]] = Figure(
    (
        _mode("15W", 612, _LPDDR5_2133, off=240, cpu_khz=1_497_600, cores=6),
        _mode("25W", 918, _LPDDR5_3199, off=240, cpu_khz=1_344_000, cores=6),
        _mode("MAXN_SUPER", None, None, off=240, cores=6),
        _mode("7W", 408, _LPDDR5_2133, off=252, cpu_khz=960_000, cores=4),
    ),
    "source",
    f"{_REPOSITORY}p3767_0003_super.conf @ 370b63a8d; 7W as in p3767_0003 @ 640733e60",
)
NANO_4GB = _read(
    "p3767_0004",
    "ca8f5dca8",
    _mode("10W", None, None, off=252, cores=6),
    _mode("7W_AI", 408, _LPDDR5_2133, off=252, cpu_khz=806_400, cores=4),
    _mode("7W_CPU", 306, _LPDDR5_2133, off=252, cpu_khz=960_000, cores=4),
)
NANO_4GB_SUPER = _read(
    "p3767_0004_super",
    "370b63a8d",
    _mode("10W", 612, _LPDDR5_2133, off=252, cpu_khz=1_497_600, cores=6),
    _mode("25W", 1020, _LPDDR5_3199, off=252, cpu_khz=1_728_000, cores=6),
    _mode("MAXN_SUPER", None, None, off=252, cores=6),
)
NX_16GB = _read(
    "p3767_0000",
    "640733e60",
    _mode("MAXN", None, None, off=240, cores=8),
    _mode("10W", 612, _LPDDR5_2133, off=252, cpu_khz=1_190_400, cores=4),
    _mode("15W", 612, None, off=252, cpu_khz=1_651_200, cores=4),
    _mode("25W", 408, None, off=240, cpu_khz=1_497_600, cores=8),
)
NX_16GB_SUPER = _read(
    "p3767_0000_super",
    "370b63a8d",
    _mode("MAXN_SUPER", None, None, off=240, cores=8),
    _mode("10W", 612, _LPDDR5_2133, off=252, cpu_khz=1_190_400, cores=4),
    _mode("15W", 612, None, off=252, cpu_khz=1_420_800, cores=4),
    _mode("25W", 408, None, off=240, cpu_khz=1_497_600, cores=8),
    _mode("40W", 1173, None, off=240, cpu_khz=1_497_600, cores=8),
)
NX_8GB = _read(
    "p3767_0001",
    "640733e60",
    _mode("MAXN", None, None, off=240, cores=6),
    _mode("10W", 612, _LPDDR5_2133, off=252, cpu_khz=1_190_400, cores=4),
    _mode("15W", 612, None, off=252, cpu_khz=1_420_800, cores=4),
    _mode("20W", 408, None, off=240, cpu_khz=1_497_600, cores=6),
)
NX_8GB_SUPER = _read(
    "p3767_0001_super",
    "370b63a8d",
    _mode("MAXN_SUPER", None, None, off=240, cores=6),
    _mode("10W", 612, _LPDDR5_2133, off=252, cpu_khz=1_190_400, cores=4),
    _mode("15W", 612, None, off=252, cpu_khz=1_420_800, cores=4),
    _mode("20W", 408, None, off=240, cpu_khz=1_497_600, cores=6),
    _mode("40W", 1173, None, off=240, cpu_khz=1_984_000, cores=6),
)
AGX_64GB = _read(
    "p3701_0000",
    "0a7ce0b3c",
    _mode("MAXN", None, None, off=0, cores=12),
    _mode("MODE_15W", 408, _LPDDR5_2133, off=248, cpu_khz=1_113_600, cores=4),
    _mode("MODE_30W", 612, None, off=240, cpu_khz=1_728_000, cores=8),
    _mode("MODE_50W", 816, None, off=0, cpu_khz=1_497_600, cores=12),
)
AGX_32GB = _read(
    "p3701_0004",
    "0a7ce0b3c",
    _mode("MAXN", None, None, off=128, cores=8),
    _mode("MODE_15W", 408, _LPDDR5_2133, off=248, cpu_khz=1_113_600, cores=4),
    _mode("MODE_30W", 612, None, off=240, cpu_khz=1_728_000, cores=8),
    _mode("MODE_40W", 816, None, off=128, cpu_khz=1_497_600, cores=8),
)
