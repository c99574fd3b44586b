"""The command that a knob is held against: run, listened to, and ended with all that it started."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from contextlib import suppress

import msgspec

from memfit.device.process_table import parse_stat
from memfit.device.reading import read_text
from memfit.host import LocalHost

_LONGEST_CHECK_S = 3600.0
_REST_S = 1.0
"""For what is left of its output once it has ended: something that it started may hold that open for good."""
_STEP_S = 0.2
_PIECE_BYTES, _MOST_SAID = 1 << 16, 2000


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """A command that was run, with how it ended.

    ``code`` is its exit status, None where it came to no end within an hour; ``said`` is the end of its output.
    """

    code: int | None
    said: str = ""


def run_check(check: str) -> Checked:
    """Run it, a line for the shell, here; nothing of it is left where it is interrupted or comes to no end."""
    heard, told = os.pipe()
    try:
        with subprocess.Popen(
            check, shell=True, stdin=subprocess.DEVNULL, stdout=told, stderr=subprocess.STDOUT
        ) as running:
            os.close(told)
            try:
                said = _listen(running, heard)
                return Checked(code=running.returncode, said=said.decode("utf-8", "replace"))
            except subprocess.TimeoutExpired:
                _end(running)
                return Checked(code=None, said="no end within an hour")
            except BaseException:
                _end(running)
                running.wait()  # at Ctrl-C Popen leaves without
                raise
    finally:
        os.close(heard)


def _listen(running: subprocess.Popen[bytes], heard: int) -> bytes:
    """The end of what it says, until it has ended.

    Raises:
        TimeoutExpired: it does not.
    """
    said, end = b"", time.monotonic() + _LONGEST_CHECK_S
    while time.monotonic() < end:
        ready, _, _ = select.select([heard], [], [], _STEP_S)
        if ready:
            piece = os.read(heard, _PIECE_BYTES)
            said = (said + piece)[-_MOST_SAID:]
            if not piece:
                running.wait(max(0.0, end - time.monotonic()))
                return said
        elif running.poll() is not None:
            return said
        if running.poll() is not None:
            end = min(end, time.monotonic() + _REST_S)
    if running.poll() is None:
        raise subprocess.TimeoutExpired(running.args, _LONGEST_CHECK_S)
    return said


def _end(running: subprocess.Popen[bytes]) -> None:
    """The shell and all that it started: what is left of a check would go on beside the next one."""
    host = LocalHost()
    texts = {int(path.split("/")[2]): read_text(host, path) or "" for path in host.glob("/proc/[0-9]*/stat")}
    parents = {pid: stat.parent for pid, text in texts.items() if (stat := parse_stat(text)) is not None}
    family = [running.pid]
    for pid in family:  # grows as it goes
        family += [child for child, parent in parents.items() if parent == pid and child not in family]
    for pid in family:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
