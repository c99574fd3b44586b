"""What watching a run costs: processor time and memory of the meters, and decode speed with and without them."""

from __future__ import annotations

import itertools
import os
import random
import statistics
import subprocess
import sys
import time
from array import array
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from measure.tables import table
from memfit.device.cgroup import find_cgroup
from memfit.host import LocalHost
from memfit.measure._tree import Tree
from memfit.measure.meters import METERS, Watched
from memfit.model.fabricate import fabricate

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
MIB = 1 << 20
MODEL, FORMAT = "SmolLM2-360M", "Q8_0"
WINDOW_S = 4.0
READINGS = 200
# at the beginning of a window the caches still hold what the other kind left
_EDGE_S = 0.5


class Cost(NamedTuple):
    """Of one window with meters."""

    core_share: float
    pss_bytes: int
    resident_bytes: int


class Window(NamedTuple):
    """A stretch of decoding."""

    start_s: float
    end_s: float
    metered: bool


def measure_meters(folder: Path, pairs: int) -> str:
    """The table: meters on and off in turn, ``pairs`` times, beside a model that decodes on all cores it may use."""
    file = folder / f"{MODEL}-{FORMAT}.gguf"
    print(f"meters: {MODEL} in {FORMAT}", file=sys.stderr)
    fabricate(MODEL, file, format=FORMAT)
    threads = len(os.sched_getaffinity(0))
    with ExitStack() as left:
        engine = left.enter_context(_started("decode_tokens.py", str(file), str(threads)))
        left.callback(engine.kill)
        _hear(engine)
        meters = left.enter_context(_started("meter_process.py", str(engine.pid)))
        left.callback(meters.kill)
        bare = [int(word) for word in _hear(meters).split()]
        windows, costs, names = _windows(meters, pairs)
        assert engine.stdin is not None
        assert engine.stdout is not None
        engine.stdin.close()
        ready_s = array("d", engine.stdout.read())
    file.unlink()
    per_reading = _per_reading()
    return "\n\n".join((_summary(costs, bare, names), _speeds(ready_s, windows, threads), per_reading))


def _started(script: str, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(SCRIPTS / script), *words]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _hear(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline().decode()
    if not line:
        raise RuntimeError(f"{process.args!r} has ended with {process.wait()}")
    return line


def _tell(process: subprocess.Popen[bytes], word: str) -> str:
    assert process.stdin is not None
    process.stdin.write(f"{word}\n".encode())
    process.stdin.flush()
    return _hear(process)


def _windows(meters: subprocess.Popen[bytes], pairs: int) -> tuple[list[Window], list[Cost], str]:
    """Off and on in turn; which comes first changes with every pair, so that a drift favours neither."""
    windows: list[Window] = []
    costs: list[Cost] = []
    names = ""
    for number in range(pairs):
        for metered in (False, True) if number % 2 else (True, False):
            if metered:
                _tell(meters, "on")
            start_s = time.monotonic() + _EDGE_S
            time.sleep(WINDOW_S + _EDGE_S)
            windows.append(Window(start_s, time.monotonic(), metered))
            if metered:
                used_s, wall_s, pss, resident, names = _tell(meters, "off").split()
                costs.append(Cost(float(used_s) / float(wall_s), int(pss), int(resident)))
        print(f"  pair {number + 1} of {pairs}", file=sys.stderr)
    return windows, costs, names


def _summary(costs: list[Cost], bare: list[int], names: str) -> str:
    share = statistics.median(cost.core_share for cost in costs)
    worst = max(cost.core_share for cost in costs)
    pss, resident = (max(cost[place] for cost in costs) / MIB for place in (1, 2))
    rows = [
        ["processor time, of one core", f"{share:.2%}", f"{worst:.2%}", "< 1 %"],
        ["memory of the whole process, PSS", f"{pss:.1f} MiB", "", "≤ 20 MiB"],
        ["the same, resident", f"{resident:.1f} MiB", "", "≤ 20 MiB"],
        ["of it before the meters, PSS", f"{bare[0] / MIB:.1f} MiB", "", ""],
    ]
    head = ["all meters that this machine has, at 10 Hz", "median", "worst window", "goal"]
    return f"{table(head, rows)}\n\nMeters: {names.replace(',', ', ')}."


def _speeds(ready_s: array[float], windows: list[Window], threads: int) -> str:
    speeds = [_speed(ready_s, window) for window in windows]
    pairs = list(zip(speeds[::2], speeds[1::2], windows[::2], strict=True))
    ratios = [(first / second if window.metered else second / first) for first, second, window in pairs]
    without, metered = (
        statistics.median(speed for speed, window in zip(speeds, windows, strict=True) if window.metered is kind)
        for kind in (False, True)
    )
    low, high = _interval(ratios)
    still = [speed for speed, window in zip(speeds, windows, strict=True) if not window.metered]
    noise = statistics.median(abs(after / before - 1) for before, after in itertools.pairwise(still))
    rows = [
        [
            f"{MODEL} {FORMAT}, {threads} thread{'s' if threads > 1 else ''}",
            f"{without:.2f}",
            f"{metered:.2f}",
            f"{statistics.median(ratios) - 1:+.2%} ({low - 1:+.2%} to {high - 1:+.2%})",
            f"±{noise:.2%}",
        ]
    ]
    head = ["decode, tokens/s", "without", "with meters", "difference (95 %)", "two windows without"]
    return f"{table(head, rows)}\n\n{len(ratios)} pairs of windows of {WINDOW_S:.0f} s, in turn."


def _speed(ready_s: array[float], window: Window) -> float:
    inside = [at_s for at_s in ready_s if window.start_s <= at_s <= window.end_s]
    return (len(inside) - 1) / (inside[-1] - inside[0])


def _interval(ratios: Sequence[float]) -> tuple[float, float]:
    """Of the median, by drawing the pairs anew 2,000 times."""
    dice = random.Random(0)
    medians = sorted(statistics.median(dice.choices(ratios, k=len(ratios))) for _ in range(2000))
    return medians[50], medians[-51]


def _per_reading() -> str:
    """Processor time of one reading of each meter, of a process that is there."""
    host = LocalHost()
    tree = Tree(os.getpid(), host)
    watched = Watched(host=host, tree=tree, cgroup=find_cgroup(), endpoint=None)
    rows: list[Sequence[str]] = []
    for name, meter in METERS.items():
        reader = meter.open(watched)
        if reader is None:
            continue
        reader.read()
        began_s = time.process_time()
        for _ in range(READINGS):
            reader.read()
        spent_s = (time.process_time() - began_s) / READINGS
        reader.close()
        rows.append([name.replace("_", " "), f"{1 / meter.interval_s:g}", f"{spent_s * 1e6:.0f}"])
    tree.close()
    return table(["meter", "readings a second", "µs a reading, files open and in the caches"], rows)
