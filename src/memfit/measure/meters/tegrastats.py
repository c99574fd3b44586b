"""The stream of ``tegrastats``, where it is installed: RAM as it prints it, loads, temperatures, power."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess

from memfit.device.tegrastats import TegrastatsSample, parse_line
from memfit.errors import ProbeError
from memfit.measure.meters._meter import Meter, Series, Values, Watched

INTERVAL_MS = 100
_USED = Series("used", "bytes")
_SWAPPED = Series("swapped", "bytes")
_LARGEST_FREE_BLOCK = Series("largest_free_block", "bytes")
_PIECE_BYTES = 1 << 16
_END_S = 2.0


class _Reader:
    """Reads what has been printed since; never waits for more."""

    def __init__(self, program: str) -> None:
        self._process = subprocess.Popen(
            [program, "--interval", str(INTERVAL_MS)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        assert self._process.stdout is not None
        self._pipe = self._process.stdout
        os.set_blocking(self._pipe.fileno(), False)
        self._rest = b""

    def read(self) -> Values:
        try:
            piece = os.read(self._pipe.fileno(), _PIECE_BYTES)
        except BlockingIOError:
            return {}
        if not piece:
            raise ProbeError(f"tegrastats has ended with code {self._process.poll()}")
        *lines, self._rest = (self._rest + piece)[-_PIECE_BYTES:].split(b"\n")
        for line in reversed(lines):  # one figure a reading: the newest
            if (sample := parse_line(line.decode("utf-8", "replace"))) is not None:
                return values_of(sample)
        return {}

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with contextlib.suppress(OSError):
            self._pipe.close()


def values_of(sample: TegrastatsSample) -> Values:
    """A line's figures as series."""
    values: dict[Series, float] = {_USED: sample.used_bytes}
    if sample.swap_used_bytes is not None:
        values[_SWAPPED] = sample.swap_used_bytes
    if sample.free_block_bytes is not None:
        values[_LARGEST_FREE_BLOCK] = sample.free_block_bytes
    loads = [core.load_percent for core in sample.cpus if core.load_percent is not None]
    if loads:
        values[Series("CPU", "ratio")] = sum(loads) / 100 / len(loads)
    for unit in sample.units:
        if unit.load_percent is not None:
            values[Series(unit.name, "ratio")] = unit.load_percent / 100
    for zone in sample.zones:
        values[Series(zone.name, "c")] = zone.now_c
    for rail in sample.rails:
        values[Series(rail.name, "mw")] = rail.now_mw
    return values


def _open(watched: Watched) -> _Reader | None:
    program = shutil.which("tegrastats") if watched.on_this_machine else None
    if program is None:
        return None
    try:
        return _Reader(program)
    except OSError:
        return None


METER = Meter(
    summary="RAM, loads, temperatures and power as tegrastats prints them",
    units=("bytes", "ratio", "c", "mw"),
    interval_s=INTERVAL_MS / 1000,
    open=_open,
)
