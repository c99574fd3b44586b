"""Run programs in turn and measure them from outside: seconds, and the memory of a process with its children."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

SAMPLE_S = 0.002
LIMIT_S = 300.0


@dataclass(frozen=True)
class Program:
    """A command with what it needs in its environment beside ours."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    def environ(self) -> dict[str, str]:
        """The whole environment of the command."""
        return {**os.environ, **self.environment}


class ProgramFailed(Exception):
    """A program that ended with an error; the message is the end of what it said."""


@dataclass(frozen=True)
class Spread:
    """Repeated measurements of one thing, in one unit."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle value."""
        return statistics.median(self.values)

    @property
    def least(self) -> float:
        """The smallest value: the least disturbed run."""
        return min(self.values)


def output_of(program: Program) -> str:
    """What a program prints.

    Raises:
        ProgramFailed: it cannot be started, hangs or ends with an error.
    """
    try:
        done = subprocess.run(
            program.command, env=program.environ(), capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as failure:
        raise ProgramFailed(str(failure)) from failure
    if done.returncode not in (0, 10):  # 10: memfit's answer that it does not fit
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        last = lines[-1].strip() if lines else f"exit code {done.returncode}"
        raise ProgramFailed(re.sub(r"/\S*/", "", last))  # folders of this machine say nothing to a reader
    return done.stdout


def wall_s(program: Program) -> float:
    """Seconds from start to end of a program, its output thrown away."""
    start = time.perf_counter()
    child = _started(program)
    limit = threading.Timer(LIMIT_S, child.kill)  # wait(timeout) would poll every 50 ms
    limit.start()
    child.wait()
    end = time.perf_counter()
    limit.cancel()
    return end - start


def peak_bytes(program: Program) -> int:
    """The most that a program and its children held in memory at once.

    Every 2 ms the proportional set sizes (``Pss``: a page of two processes counts half in each) of all processes alive
    are added up; the largest sum counts, or the largest resident set of one process (``VmHWM``) where that is more.
    """
    child = _started(program)
    most = 0
    while child.poll() is None:
        alive = _tree(child.pid)
        most = max(most, sum(_bytes(pid, "smaps_rollup", "Pss:") for pid in alive))
        most = max(most, *(_bytes(pid, "status", "VmHWM:") for pid in alive))
        time.sleep(SAMPLE_S)
    return most


def in_turn(measures: Mapping[str, Callable[[], T]], runs: int) -> dict[str, tuple[T, ...]]:
    """Every measure ``runs`` times, A B C A B C, so that a busy moment of the machine hits all alike.

    A first round, which fills the page cache and the programs' own, does not count.
    """
    results: dict[str, list[T]] = {name: [] for name in measures}
    for number in range(-1, runs):
        for name, measure in measures.items():
            value = measure()
            if number >= 0:
                results[name].append(value)
        print(f"  round {number + 1} of {runs}", file=sys.stderr)
    return {name: tuple(values) for name, values in results.items()}


def _started(program: Program) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        program.command, env=program.environ(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _tree(pid: int) -> list[int]:
    found = [pid]
    for parent in found:  # grows as it is walked
        found += _children(parent)
    return found


def _children(pid: int) -> Sequence[int]:
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(word) for thread in threads for word in (thread / "children").read_text().split()]
    except OSError:  # ended meanwhile
        return []


def _bytes(pid: int, file: str, key: str) -> int:
    """A line of ``/proc/PID/file`` that states kB."""
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except OSError:  # ended meanwhile
        return 0
    line = next((line for line in lines if line.startswith(key)), f"{key} 0 kB")
    return int(line.split()[1]) * 1024
