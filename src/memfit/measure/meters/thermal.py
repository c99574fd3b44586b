"""Temperatures of the board's zones."""

from __future__ import annotations

from memfit.device.thermal import read_zones
from memfit.host import Host
from memfit.measure.meters._meter import Meter, Reader, Series, Values, Watched, open_if_it_answers


def _values(host: Host) -> Values:
    return {Series(zone.name, "c"): zone.now_c for zone in read_zones(host)}


def _open(watched: Watched) -> Reader | None:
    return open_if_it_answers(watched.host, _values)


# a Tegra asks its power management processor for every zone
METER = Meter(summary="temperatures by zone", units=("c",), interval_s=1.0, waits=True, open=_open)
