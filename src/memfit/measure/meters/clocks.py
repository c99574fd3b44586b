"""Clocks of CPU, GPU and memory: a run on slowed clocks is a slow run, not a large model."""

from __future__ import annotations

from memfit.device.clocks import read_clocks
from memfit.host import Host
from memfit.measure.meters._meter import Meter, Reader, Series, Values, Watched, open_if_it_answers


def _values(host: Host) -> Values:
    return {Series(clock.name, "hz"): clock.now_hz for clock in read_clocks(host) if clock.now_hz is not None}


def _open(watched: Watched) -> Reader | None:
    return open_if_it_answers(watched.host, _values)


METER = Meter(summary="clocks of CPU, GPU and memory", units=("hz",), interval_s=1.0, waits=True, open=_open)
