"""An audit that is kept up to date once a second.

What stands still (board, software, storage, the boot log) is read once. The kernel's counts, NvMap, temperatures and
power are read every time; processes every few seconds only, because the kernel walks every page of a process to answer
``smaps_rollup``.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from datetime import datetime, timezone

import msgspec

from memfit.device.audit import build_audit
from memfit.device.audit_facts import AuditFacts, describe, read_audit_facts
from memfit.device.audit_records import Audit
from memfit.device.facts import clocks, gpu_load, kernel_counters, nvmap, rails, swaps, zones
from memfit.device.ledger_read import read_ledger_facts
from memfit.device.tegrastats_log import Series, SeriesUnit
from memfit.host import Host

EVERY_S = 1.0
PROCESSES_EVERY = 5
"""Rounds from one look at processes to the next."""

MOST_POINTS = 600
"""Points kept: ten minutes."""

_Key = tuple[str, SeriesUnit]


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """A machine followed live.

    Attributes:
        audit: as it is now; its processes are up to a few seconds old.
        times_s: seconds since the first look, ascending.
        series: figures at these times, None where there was none.
    """

    audit: Audit
    times_s: tuple[float, ...]
    series: tuple[Series, ...]
    schema_version: int = 1


class Watcher:
    """Looks again each time it is asked.

    Raises:
        ProbeError: the machine cannot be read.
    """

    def __init__(self, host: Host, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._host = host
        self._clock = clock
        self._facts = read_audit_facts(host)
        self._began = clock()
        self._rounds = 0
        self._points: deque[tuple[float, dict[_Key, float]]] = deque(maxlen=MOST_POINTS)

    def look(self) -> Watch:
        """The machine now, with what was seen so far."""
        if self._rounds:
            self._facts = self._read_again()
        self._rounds += 1
        found = build_audit(self._facts)
        self._points.append((round(self._clock() - self._began, 3), self._figures(found)))
        return Watch(audit=found, times_s=tuple(at_s for at_s, _ in self._points), series=_series(list(self._points)))

    def _read_again(self) -> AuditFacts:
        facts = msgspec.structs.replace(
            self._facts,
            taken=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            clocks=clocks.FACT.read(self._host),
            zones=zones.FACT.read(self._host),
            rails=rails.FACT.read(self._host),
            swaps=swaps.FACT.read(self._host),
            nvmap=nvmap.FACT.read(self._host),
        )
        if self._rounds % PROCESSES_EVERY == 0:
            return msgspec.structs.replace(facts, ledger=read_ledger_facts(self._host, describe(facts)))
        moment = kernel_counters.read(self._host)
        if facts.ledger is None or moment is None:
            return facts
        ledger = msgspec.structs.replace(facts.ledger, moment=moment, nvmap=facts.nvmap, swaps=facts.swaps)
        return msgspec.structs.replace(facts, ledger=ledger)

    def _figures(self, found: Audit) -> dict[_Key, float]:
        figures: dict[_Key, float] = {}
        if found.linux_bytes is not None and found.available_bytes is not None:
            figures["used", "bytes"] = found.linux_bytes - found.available_bytes
        for layer, name in (("user", "programs"), ("cache", "page cache"), ("drivers", "GPU and drivers")):
            figures[name, "bytes"] = sum(term.bytes for term in found.terms if term.layer == layer)
        if found.swaps:
            figures["swap used", "bytes"] = sum(swap.used_bytes for swap in found.swaps)
        load = gpu_load.FACT.read(self._host)
        if load is not None:
            figures["GPU", "percent"] = load
        if found.zones:
            hottest = max(found.zones, key=lambda zone: zone.now_c)
            figures["hottest", "c"] = hottest.now_c
        for rail in found.rails:
            figures[rail.name, "mw"] = rail.now_mw
        return figures


def _series(points: list[tuple[float, dict[_Key, float]]]) -> tuple[Series, ...]:
    keys = dict.fromkeys(key for _, figures in points for key in figures)
    found = []
    for name, unit in keys:
        values = tuple(figures.get((name, unit)) for _, figures in points)
        known = [value for value in values if value is not None]
        mean = sum(known) / len(known)
        found.append(Series(name=name, unit=unit, values=values, least=min(known), most=max(known), mean=mean))
    return tuple(found)
