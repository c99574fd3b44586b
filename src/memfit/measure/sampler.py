"""Watch a run: its memory ten times a second, its further meters as often as they say, exactly at phase changes.

The sampler reads files that stay open, in a thread beside the run, and holds a bounded number of figures however long
that lasts. What it costs is measured by ``benchmarks/meters.py``.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from memfit.device.cgroup import Cgroup, cgroup_at
from memfit.device.process_tree import TreeMemory, read_tree
from memfit.errors import ProbeError
from memfit.host import Host, LocalHost
from memfit.measure._counters import Counters, paging_between, read_counters
from memfit.measure._track import Track
from memfit.measure._tree import Tree
from memfit.measure.meters import METERS, Reader, Series, Values, Watched
from memfit.measure.meters._meter import AVAILABLE, LIMITED, RESIDENT
from memfit.measure.records import Paging, Phase, Reading, Sample

if TYPE_CHECKING:
    from typing_extensions import Self

INTERVAL_S = 0.1
MOST_SAMPLES = 6_000
"""Ten minutes at 10 Hz; of a longer run every second row is let go, peaks excepted."""
MOST_POINTS = 600
"""Of one reading."""

_SAMPLED = (RESIDENT, LIMITED, AVAILABLE)


class _Open:
    """A meter that is being read."""

    def __init__(self, name: str, reader: Reader, interval_s: float, tick_s: float) -> None:
        self.name = name
        self.reader = reader
        self._interval_s = interval_s
        self._early_s = tick_s / 2
        self._due_s = 0.0

    def is_due(self, at_s: float) -> bool:
        """Whether it is time to read it; half a tick early is in time."""
        if at_s < self._due_s - self._early_s:
            return False
        self._due_s = at_s + self._interval_s
        return True


class Sampler:
    """Watches a process and its descendants while a ``with`` lasts.

    Args:
        root_pid: the run's first process, alive or not.
        cgroup: folder of the group that the run is charged to, or None.
        interval_s: between two samples.
        meters: keys of ``METERS``; None takes all that have something to say here. The three that samples consist of
            (``process_tree``, ``cgroup``, ``system``) are always read.
        host: the machine, this one where None.
        endpoint: where the engine serves, such as ``http://127.0.0.1:8080``.

    Raises:
        UnknownName: no such meter.
        ProbeError: ``cgroup`` is no group of the memory controller.
    """

    def __init__(
        self,
        root_pid: int,
        cgroup: str | os.PathLike[str] | None = None,
        interval_s: float = INTERVAL_S,
        meters: Iterable[str] | None = None,
        host: Host | None = None,
        *,
        endpoint: str | None = None,
    ) -> None:
        self._host = host or LocalHost()
        self._interval_s = interval_s
        group: Cgroup | None = None if cgroup is None else cgroup_at(os.fspath(cgroup), self._host)
        self._tree = Tree(root_pid, self._host)
        self._watched = Watched(host=self._host, tree=self._tree, cgroup=group, endpoint=endpoint)
        always = ("process_tree", "cgroup", "system")
        wanted = METERS.keys() if meters is None else meters
        self._wanted = {name: METERS.get(name) for name in (*always, *wanted)}
        self._samples = Track(len(_SAMPLED), MOST_SAMPLES)
        self._tracks: dict[tuple[str, Series], Track] = {}
        self._largest: dict[tuple[str, Series], float] = {}
        self._counters: tuple[Counters, Counters] = (Counters(), Counters())
        self._refaults = 0
        self._notes: list[str] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._resources = ExitStack()
        self._began_s = time.monotonic()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:  # interrupted half-way: nothing that was started stays
            self.__exit__()
            raise
        return self

    def __exit__(self, *failure: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._look()
        self._resources.close()

    def _start(self) -> None:
        self._began_s = time.monotonic()
        self._resources.callback(self._tree.close)
        self._tree.scan()
        first = read_counters(self._host, self._tree, self._watched.cgroup)
        self._counters = (first, first)
        quick: list[_Open] = []
        slow: list[_Open] = []
        for name, meter in self._wanted.items():
            reader = meter.open(self._watched)
            if reader is not None:
                self._resources.callback(reader.close)
                opened = _Open(name, reader, max(meter.interval_s, self._interval_s), self._interval_s)
                (slow if meter.waits else quick).append(opened)
        self._tick(quick)  # a run that ends at once has one sample
        for meters in filter(None, (quick, slow)):
            thread = threading.Thread(target=self._watch, args=(meters,), name="memfit-meters", daemon=True)
            thread.start()
            self._threads.append(thread)

    @property
    def elapsed_s(self) -> float:
        """Since the ``with`` began, by the monotonic clock: a changed wall clock moves nothing."""
        return time.monotonic() - self._began_s

    @property
    def samples(self) -> tuple[Sample, ...]:
        """Memory over time; at most ``MOST_SAMPLES``, peaks and troughs of what is resident among them."""
        with self._lock:
            rows = list(self._samples.rows())
        return tuple(
            Sample(
                at_s=at_s,
                resident_bytes=_whole(resident) or 0,
                limited_bytes=_whole(limited),
                available_bytes=_whole(available),
            )
            for at_s, resident, limited, available in rows
        )

    @property
    def readings(self) -> tuple[Reading, ...]:
        """What the further meters saw, each of at most ``MOST_POINTS`` points."""
        with self._lock:
            tracks = [(key, track.shortened(MOST_POINTS)) for key, track in self._tracks.items()]
        return tuple(
            Reading(meter=meter, name=series.name, unit=series.unit, at_s=track.times(), values=track.column(0))
            for (meter, series), track in tracks
        )

    @property
    def peak_resident_bytes(self) -> int:
        """The most that was resident; of a single process its true peak (VmHWM), see ``Tree.peak_resident_bytes``."""
        return self._tree.peak_resident_bytes

    @property
    def peak_limited_bytes(self) -> int | None:
        """The largest charge that was seen; the group's own maximum is truer where the kernel keeps one."""
        return self._peak("cgroup", LIMITED)

    @property
    def peak_unevictable_bytes(self) -> int | None:
        """The most that the kernel could not drop: of the group, else the run's anonymous memory. Seen, not true."""
        of_group = self._peak("cgroup", Series("unevictable", "bytes"))
        return of_group if of_group is not None else self._peak("process_tree", Series("anonymous", "bytes"))

    @property
    def tree_pids(self) -> tuple[int, ...]:
        """The run's processes that live."""
        return self._tree.pids

    @property
    def paging(self) -> Paging:
        """What the kernel did to make room so far. Of a group that has been removed: until it was last looked at."""
        if not self._stop.is_set():
            self._look()
        return paging_between(*self._counters)

    @property
    def notes(self) -> tuple[str, ...]:
        """Meters that fell out during the run, a sentence each."""
        with self._lock:
            return tuple(self._notes)

    def memory(self) -> TreeMemory:
        """The run's memory exactly, now: ``smaps_rollup`` of every process (some 14 ms for one GiB)."""
        return read_tree(self._tree.scan(), self._host)

    def phase(self, name: str = "", *, tokens: int = 0, seconds: float = 0.0) -> Phase:
        """As ``memory``, as the record of a moment at which the engine stands still.

        Args:
            name: of the phase.
            tokens: computed in it.
            seconds: that took.
        """
        at_s = self.elapsed_s
        found = self.memory()
        refaults = self.paging.refaults
        self._refaults, before = refaults, self._refaults
        return Phase(
            name=name,
            at_s=round(at_s, 3),
            pss_bytes=found.pss_bytes,
            anonymous_bytes=found.anonymous_bytes,
            file_bytes=found.file_bytes,
            swapped_bytes=found.swapped_bytes,
            tokens=tokens,
            seconds=seconds,
            refaults=max(0, refaults - before),
        )

    def _watch(self, meters: list[_Open]) -> None:
        due_s = self.elapsed_s + self._interval_s
        while not self._stop.wait(max(0.0, due_s - self.elapsed_s)):
            self._tick(meters)
            # after a pause of the machine or of a slow meter nothing is made up for
            due_s = max(due_s + self._interval_s, self.elapsed_s)

    def _tick(self, meters: list[_Open]) -> None:
        at_s = self.elapsed_s
        sampled: dict[Series, float] = {}
        for meter in tuple(meters):
            if not meter.is_due(at_s):
                continue
            try:
                values = meter.reader.read()
            except (ProbeError, OSError, ValueError) as error:  # one meter less, and the run goes on
                meters.remove(meter)
                with self._lock:
                    self._notes.append(f"{meter.name} was read until {at_s:.1f} s: {error}")
                continue
            self._keep(meter.name, at_s, values, sampled)
        if RESIDENT in sampled:
            with self._lock:
                self._samples.add(at_s, *(sampled.get(series) for series in _SAMPLED))

    def _keep(self, meter: str, at_s: float, values: Values, sampled: dict[Series, float]) -> None:
        with self._lock:
            for series, figure in values.items():
                key = (meter, series)
                if figure > self._largest.get(key, -math.inf):
                    self._largest[key] = figure
                if series in _SAMPLED:
                    sampled[series] = figure
                    continue
                track = self._tracks.get(key)
                if track is None:
                    track = self._tracks[key] = Track(1, 2 * MOST_POINTS)
                track.add(at_s, figure)

    def _look(self) -> None:
        """At the counters. A group that is gone answers nothing, and what it said last stays."""
        self._tree.scan()
        now = read_counters(self._host, self._tree, self._watched.cgroup)
        first = self._counters[0]
        gone = now.limit_failures is None and first.limit_failures is not None
        if not gone:
            self._counters = (first, now)

    def _peak(self, meter: str, series: Series) -> int | None:
        with self._lock:
            return _whole(self._largest.get((meter, series), math.nan))


def _whole(figure: float) -> int | None:
    return None if math.isnan(figure) else int(figure)
