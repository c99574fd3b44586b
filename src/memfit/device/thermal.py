"""Thermal zones and the fan, from ``/sys/class/thermal`` and hwmon."""

from __future__ import annotations

import msgspec

from memfit.device.audit_records import Zone
from memfit.device.reading import read_integer, read_text
from memfit.host import Host

ZONES = "/sys/class/thermal/thermal_zone*"
HWMON = "/sys/class/hwmon/hwmon*"
PATHS = (f"{ZONES}/type", f"{ZONES}/temp", f"{ZONES}/trip_point_*_type", f"{ZONES}/trip_point_*_temp")
FAN_PATHS = (f"{HWMON}/name", f"{HWMON}/pwm1", f"{HWMON}/fan1_input", f"{HWMON}/rpm")

# an unpowered sensor of a Tegra reads as -256 °C, and some kernels give 0 or 2^31 for one that is absent
_COLDEST_C, _HOTTEST_C = -55.0, 200.0
_ACTED_ON = frozenset({"passive", "hot"})


class Fan(msgspec.Struct, frozen=True, kw_only=True):
    """A fan that Linux drives; ``duty`` from 0 to 255, ``rpm`` where it has a tachometer."""

    name: str
    duty: int | None = None
    rpm: int | None = None


def read_zones(host: Host) -> tuple[Zone, ...]:
    """Every zone that answers, in degrees Celsius; a zone whose engine is switched off answers nothing."""
    found = []
    for path in host.glob(f"{ZONES}/temp"):
        folder = path.rpartition("/")[0]
        milli = read_integer(host, path)
        name = read_text(host, f"{folder}/type", most=256)
        if milli is None or not name or not _COLDEST_C < milli / 1000 < _HOTTEST_C:
            continue
        found.append(Zone(name=name, now_c=milli / 1000, trip_c=_trip_c(host, folder)))
    return tuple(found)


def read_fans(host: Host) -> tuple[Fan, ...]:
    """Fans with a duty cycle or a tachometer (L4T: ``pwmfan`` and ``pwm_tach``); none on a passively cooled board."""
    found: dict[str, Fan] = {}
    paths = [path for name in ("pwm1", "fan1_input", "rpm") for path in host.glob(f"{HWMON}/{name}")]
    for folder in dict.fromkeys(path.rpartition("/")[0] for path in paths):
        name = read_text(host, f"{folder}/name", most=256) or "fan"
        duty = read_integer(host, f"{folder}/pwm1")
        rpm = read_integer(host, f"{folder}/fan1_input")
        if rpm is None:
            rpm = read_integer(host, f"{folder}/rpm")
        found[folder] = Fan(name=name, duty=duty, rpm=rpm)
    return tuple(found.values())


def _trip_c(host: Host, folder: str) -> float | None:
    """The lowest temperature at which the kernel slows the board down."""
    trips = []
    for path in host.glob(f"{folder}/trip_point_*_type"):
        if read_text(host, path, most=64) in _ACTED_ON:
            milli = read_integer(host, path.removesuffix("type") + "temp")
            if milli is not None and 0 < milli / 1000 < _HOTTEST_C:
                trips.append(milli / 1000)
    return min(trips, default=None)
