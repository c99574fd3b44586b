from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import msgspec
import pytest
from trees import TreeHost, write_tree

from memfit.device.audit import audit
from memfit.device.audit_watch import MOST_POINTS, PROCESSES_EVERY, Watch, Watcher


class Counting(TreeHost):
    """Counts how often memory of processes is asked for."""

    def __init__(self, host: TreeHost) -> None:
        super().__init__(host._inside._root, host.machine)  # type: ignore[union-attr]
        self.rollups = self.logs = 0

    def read_bytes(self, path: str, *, most: int = 1 << 20) -> bytes:
        self.rollups += path.endswith("/smaps_rollup")
        self.logs += path == "/etc/nv_tegra_release"
        return super().read_bytes(path, most=most)


@pytest.fixture
def host(tmp_path: Path) -> Counting:
    return Counting(write_tree("orin-nano-8gb-desktop", tmp_path))


def ticking() -> Iterator[float]:
    return (float(number) for number in count())


def watcher(host: Counting) -> Watcher:
    clock = ticking()
    return Watcher(host, clock=lambda: next(clock))


def test_the_first_look_is_an_audit(host: Counting) -> None:
    now = watcher(host).look()
    expected = audit(host)
    assert msgspec.structs.replace(now.audit, taken="") == msgspec.structs.replace(expected, taken="")
    assert now.times_s == (1.0,)


def test_processes_are_read_every_few_rounds_only(host: Counting) -> None:
    watched = watcher(host)
    per_look = host.rollups
    for _ in range(PROCESSES_EVERY):
        watched.look()
    assert host.rollups == per_look
    watched.look()
    assert host.rollups == 2 * per_look
    assert host.logs <= 2  # what stands still is read once


def test_what_moves_is_read_each_time(host: Counting, tmp_path: Path) -> None:
    watched = watcher(host)
    first = watched.look()
    meminfo = tmp_path / "proc/meminfo"
    text = meminfo.read_text()
    before = host.machine.available
    meminfo.write_text(text.replace(f"{before} kB", f"{before - 102400} kB"))
    second = watched.look()
    assert first.audit.available_bytes is not None
    assert second.audit.available_bytes == first.audit.available_bytes - 102400 * 1024
    used = next(series for series in second.series if series.name == "used")
    assert used.values[1] == (used.values[0] or 0) + 102400 * 1024
    assert (used.least, used.most) == used.values


def test_only_the_last_minutes_are_kept(host: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memfit.device.audit_watch.PROCESSES_EVERY", 10**9)
    watched = watcher(host)
    watched._points.extend((float(number), {("used", "bytes"): 1.0}) for number in range(MOST_POINTS))
    now = watched.look()
    assert len(now.times_s) == MOST_POINTS
    gpu = next(series for series in now.series if series.name == "hottest")
    assert gpu.values[:-1] == (None,) * (MOST_POINTS - 1)


def test_it_survives_json(host: Counting) -> None:
    now = watcher(host).look()
    assert msgspec.json.decode(msgspec.json.encode(now), type=Watch) == now
