"""Power rails: the INA3221 of a Jetson, under hwmon (JetPack 5 and later) or iio (JetPack 4).

One ``VDD_IN`` (or ``VIN``) is the board's whole input; the others are parts of it, so rails must not be added up.
"""

from __future__ import annotations

import re

from memfit.device.audit_records import Rail
from memfit.device.reading import read_integer, read_text
from memfit.host import Host

_HWMON = "/sys/bus/i2c/drivers/ina3221/*/hwmon/hwmon*"
_IIO = "/sys/bus/i2c/drivers/ina3221x/*/iio:device*"
# Thor measures its input with an INA238, which gives power itself
_INA238 = "/sys/bus/i2c/drivers/ina238/*/hwmon/hwmon*"
PATHS = (
    f"{_HWMON}/in[0-9]_label",
    f"{_HWMON}/in[0-9]_input",
    f"{_HWMON}/curr[0-9]_input",
    f"{_IIO}/rail_name_[0-9]",
    f"{_IIO}/in_power[0-9]_input",
    f"{_INA238}/power1_input",
    f"{_INA238}/power1_label",
)
# an unused channel is labelled NC; the driver's seventh is the sum of shunt voltages and no rail
_NO_RAIL = re.compile(r"nc|sum of .*", re.IGNORECASE)


def read_rails(host: Host) -> tuple[Rail, ...]:
    """Every rail that has a label, in mW now; none on a machine without such a monitor."""
    found = [*_by_hwmon(host), *_by_iio(host), *_by_ina238(host)]
    return tuple({rail.name: rail for rail in reversed(found)}.values())[::-1]


def _by_hwmon(host: Host) -> list[Rail]:
    found = []
    for path in host.glob(f"{_HWMON}/in[0-9]_label"):
        folder, _, file = path.rpartition("/")
        name = read_text(host, path, most=256)
        millivolts = read_integer(host, path.removesuffix("label") + "input")
        milliamperes = read_integer(host, f"{folder}/curr{file[2]}_input")
        if name and not _NO_RAIL.fullmatch(name) and millivolts is not None and milliamperes is not None:
            found.append(Rail(name=name, now_mw=millivolts * milliamperes // 1000))
    return found


def _by_iio(host: Host) -> list[Rail]:
    found = []
    for path in host.glob(f"{_IIO}/rail_name_[0-9]"):
        folder, number = path.rpartition("/")[0], path[-1]
        name = read_text(host, path, most=256)
        milliwatts = read_integer(host, f"{folder}/in_power{number}_input")
        if name and not _NO_RAIL.fullmatch(name) and milliwatts is not None:
            found.append(Rail(name=name, now_mw=milliwatts))
    return found


def _by_ina238(host: Host) -> list[Rail]:
    found = []
    for path in host.glob(f"{_INA238}/power1_input"):
        microwatts = read_integer(host, path)
        name = read_text(host, path.removesuffix("input") + "label", most=256) or "VIN"
        if microwatts is not None:
            found.append(Rail(name=name, now_mw=microwatts // 1000))
    return found
