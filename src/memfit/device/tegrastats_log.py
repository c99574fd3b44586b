"""A log of tegrastats as series over time, whatever its length, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal

import msgspec

from memfit.device.tegrastats import TegrastatsSample, parse_line

SeriesUnit = Literal["bytes", "percent", "hz", "c", "mw"]

_MOST_POINTS = 2000
_MOST_SERIES = 200
_MOST_UNREAD = 20


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One quantity over time.

    Attributes:
        name: ``used``, ``swap used``, ``largest free block``, ``CPU``, ``GR3D``, ``tj``, ``VDD_IN`` …
        unit: of ``values``; ``c`` is degrees Celsius.
        values: one per time of the log; None where the line had none. In a log that was thinned out each is the highest
            of its span (the lowest of ``largest free block``).
        least, most, mean: over every line of the log, thinned out or not.
    """

    name: str
    unit: SeriesUnit
    values: tuple[float | None, ...]
    least: float
    most: float
    mean: float


class TegrastatsLog(msgspec.Struct, frozen=True, kw_only=True):
    """What a log says.

    Attributes:
        name: the file.
        samples: lines that were read; ``skipped`` those that were no tegrastats.
        lines_per_point: 1 unless the log was thinned out.
        stamped: whether times come from the log; without stamps a line counts as ``interval_s``.
        total_bytes: MemTotal in MiB as printed, of the line that used most: logs of several machines that were joined
            do not show more used than there was.
        times_s: seconds since the first line, ascending. tegrastats stamps whole seconds: lines of one second are
            spread over it evenly.
        unread: words of no known shape, each once, at most 20.
    """

    name: str
    samples: int
    skipped: int
    lines_per_point: int = 1
    stamped: bool
    interval_s: float | None = None
    started: str | None = None
    total_bytes: int | None = None
    times_s: tuple[float, ...] = ()
    series: tuple[Series, ...] = ()
    unread: tuple[str, ...] = ()
    schema_version: int = 1

    def find(self, name: str, unit: SeriesUnit) -> Series | None:
        """The series of this name and unit."""
        return next((series for series in self.series if (series.name, series.unit) == (name, unit)), None)


_Key = tuple[str, SeriesUnit]
_FREE_BLOCK: _Key = ("largest free block", "bytes")


class _Column:
    """One series while it grows: the points so far and the running figures."""

    def __init__(self, *, lowest: bool) -> None:
        self.points: list[float | None] = []
        self.count = 0
        self.total = 0.0
        self.least = self.most = 0.0
        self._pick = min if lowest else max

    def pad(self, length: int) -> None:
        self.points += [None] * (length - len(self.points))

    def add(self, at: int, value: float) -> None:
        self.least = value if not self.count else min(self.least, value)
        self.most = value if not self.count else max(self.most, value)
        self.count += 1
        self.total += value
        self.pad(at + 1)
        old = self.points[at]
        self.points[at] = value if old is None else self._pick(old, value)

    def halve(self) -> None:
        pairs = [self.points[at : at + 2] for at in range(0, len(self.points), 2)]
        held = ([value for value in pair if value is not None] for pair in pairs)
        self.points = [self._pick(values) if values else None for values in held]


def parse_log(
    lines: Iterable[str], *, name: str = "", interval_s: float = 1.0, most_points: int = _MOST_POINTS
) -> TegrastatsLog:
    """Read a log line by line.

    Args:
        lines: of one run; what is no tegrastats line is skipped and counted.
        name: what the log is called.
        interval_s: time between lines that carry no stamp (``--interval``; tegrastats' own default is one second).
        most_points: a longer log is thinned out by powers of two until it has no more points than this.
    """
    columns: dict[_Key, _Column] = {}
    times: list[float] = []
    stride, count, fullest = 1, 0, None
    reader = _Reader(interval_s)
    for time_s, sample in reader.samples(lines):
        at = count // stride
        if at == len(times):
            if at >= max(most_points, 2):
                times = times[::2]
                for column in columns.values():
                    column.halve()
                stride *= 2
                at = count // stride
            if at == len(times):
                times.append(time_s)
        for key, value in _values(sample):
            if key not in columns and len(columns) < _MOST_SERIES:
                columns[key] = _Column(lowest=key == _FREE_BLOCK)
            if key in columns:
                columns[key].add(at, value)
        count += 1
        if fullest is None or sample.used_bytes > fullest.used_bytes:
            fullest = sample
    for column in columns.values():
        column.pad(len(times))
    return TegrastatsLog(
        name=name,
        samples=count,
        skipped=reader.skipped,
        lines_per_point=stride,
        stamped=reader.first is not None,
        interval_s=None if reader.first is not None else interval_s,
        started=None if reader.first is None else reader.first.isoformat(),
        total_bytes=None if fullest is None else fullest.total_bytes,
        times_s=tuple(times),
        series=tuple(_series(key, column) for key, column in columns.items()),
        unread=tuple(reader.unread),
    )


class _Reader:
    """Gives every sample a time, and counts what was passed over."""

    def __init__(self, interval_s: float) -> None:
        self.skipped = 0
        self.unread: dict[str, None] = {}
        self.first: datetime | None = None
        self._interval_s = interval_s
        self._start_s = 0.0  # of the second that is being gathered

    def samples(self, lines: Iterable[str]) -> Iterator[tuple[float, TegrastatsSample]]:
        """Samples with seconds since the first, ascending whatever the stamps say."""
        held: list[TegrastatsSample] = []
        stamp: str | None = None
        for line in lines:
            sample = parse_line(line)
            if sample is None:
                self.skipped += bool(line.strip())
                continue
            for word in sample.unread:
                if len(self.unread) < _MOST_UNREAD:
                    self.unread[word[:40]] = None
            # a second holds 1,000 lines at most (--interval 1); a log that never leaves one must not be held whole
            if held and (sample.taken != stamp or sample.taken is None or len(held) >= 1000):
                yield from self._spread(held, self._step_s(stamp, sample.taken))
                held = []
            stamp = sample.taken
            if self.first is None and stamp is not None:
                self.first = datetime.fromisoformat(stamp)
            held.append(sample)
        yield from self._spread(held, 1.0)

    def _step_s(self, old: str | None, new: str | None) -> float:
        if old is None or new is None:
            return self._interval_s
        step_s = (datetime.fromisoformat(new) - datetime.fromisoformat(old)).total_seconds()
        return step_s if step_s > 0 else 1.0  # the clock was set back, or two logs were joined

    def _spread(self, held: list[TegrastatsSample], step_s: float) -> Iterator[tuple[float, TegrastatsSample]]:
        span_s = min(step_s, 1.0) if len(held) > 1 else 0.0
        for number, sample in enumerate(held):
            yield round(self._start_s + span_s * number / len(held), 3), sample
        self._start_s += step_s


def _values(sample: TegrastatsSample) -> Iterator[tuple[_Key, float]]:
    yield ("used", "bytes"), sample.used_bytes
    if sample.swap_used_bytes is not None:
        yield ("swap used", "bytes"), sample.swap_used_bytes
    if sample.free_block_bytes is not None:
        yield _FREE_BLOCK, sample.free_block_bytes
    loads = [cpu.load_percent for cpu in sample.cpus if cpu.load_percent is not None]
    if loads:
        yield ("CPU", "percent"), sum(loads) / len(loads)
    for unit in sample.units:
        if unit.load_percent is not None:
            yield (unit.name, "percent"), unit.load_percent
        if unit.clocks_hz:
            yield (unit.name, "hz"), max(unit.clocks_hz)
    for zone in sample.zones:
        yield (zone.name, "c"), zone.now_c
    for rail in sample.rails:
        yield (rail.name, "mw"), rail.now_mw


def _series(key: _Key, column: _Column) -> Series:
    return Series(
        name=key[0],
        unit=key[1],
        values=tuple(column.points),
        least=column.least,
        most=column.most,
        mean=column.total / column.count,
    )
