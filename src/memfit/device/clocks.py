"""Clocks of CPU, GPU and memory: what they run at now and the range they may take.

``jetson_clocks`` sets the low end to the high end: a clock whose range is one point is locked.
"""

from __future__ import annotations

import re

from memfit.device.audit_records import Clock
from memfit.device.reading import read_integer
from memfit.host import Host

_CPU = "/sys/devices/system/cpu/cpufreq/policy*"
_DEVFREQ = "/sys/class/devfreq/*"
# the memory clock: the BPMP's table (JetPack 5 and 6) and the older clock tree, for root alone
_EMC_BPMP = "/sys/kernel/debug/bpmp/debug/clk/emc"
_EMC_CLK = "/sys/kernel/debug/clk/emc"
PATHS = (
    *(f"{_CPU}/scaling_{name}_freq" for name in ("cur", "min", "max")),
    *(f"{_DEVFREQ}/{name}_freq" for name in ("cur", "min", "max")),
    *(f"{_EMC_BPMP}/{name}" for name in ("rate", "min_rate", "max_rate")),
    *(f"{_EMC_CLK}/clk_{name}" for name in ("rate", "min_rate", "max_rate")),
)
# devfreq names: 17000000.gpu or .ga10b (Orin), .gv11b (Xavier), 57000000.gpu (Nano), gpu-gpc-0 (Thor); bwmgr is
# Thor's memory clock
_GPU = re.compile(r"(?:[0-9a-f]+\.(?:gpu|ga10b|gv11b|gp10b)|gpu-gpc-0)", re.ASCII)
_EMC = re.compile(r"bwmgr|(?:[0-9a-f]+\.)?emc", re.ASCII)


def read_clocks(host: Host) -> tuple[Clock, ...]:
    """``cpu0 cpu4 …`` (the first core of each cluster), ``gpu`` and ``emc`` in Hz, then other devfreq clocks.

    Without root ``emc`` is missing on JetPack 5 and 6.
    """
    clocks = [*_cpus(host), *_devfreq(host)]
    if not any(clock.name == "emc" for clock in clocks):
        clocks += _emc(host)
    order = {"gpu": 1, "emc": 2}
    return tuple(sorted(clocks, key=lambda clock: 0 if clock.name.startswith("cpu") else order.get(clock.name, 3)))


def _cpus(host: Host) -> list[Clock]:
    found = []
    for path in host.glob(f"{_CPU}/scaling_cur_freq"):
        folder = path.rpartition("/")[0]
        number = folder.rpartition("policy")[2]
        if not number.isdecimal():
            continue
        found.append((int(number), _clock(host, f"cpu{number}", folder, "scaling_{}_freq", scale=1000)))  # kHz
    return [clock for _, clock in sorted(found, key=lambda pair: pair[0])]


def _devfreq(host: Host) -> list[Clock]:
    found = []
    for path in host.glob(f"{_DEVFREQ}/cur_freq"):
        folder = path.rpartition("/")[0]
        device = folder.rpartition("/")[2]
        name = "gpu" if _GPU.fullmatch(device) else "emc" if _EMC.fullmatch(device) else device
        found.append(_clock(host, name, folder, "{}_freq"))
    return found


def _emc(host: Host) -> list[Clock]:
    for folder, now, ends in ((_EMC_BPMP, "rate", "{}_rate"), (_EMC_CLK, "clk_rate", "clk_{}_rate")):
        rate = read_integer(host, f"{folder}/{now}")
        if rate is not None:
            low, high = (read_integer(host, f"{folder}/{ends.format(end)}") for end in ("min", "max"))
            return [Clock(name="emc", now_hz=rate, low_hz=low, high_hz=high)]
    return []


def _clock(host: Host, name: str, folder: str, file: str, *, scale: int = 1) -> Clock:
    now, low, high = (read_integer(host, f"{folder}/{file.format(end)}") for end in ("cur", "min", "max"))
    return Clock(
        name=name,
        now_hz=None if now is None else now * scale,
        low_hz=None if low is None else low * scale,
        high_hz=None if high is None else high * scale,
    )
