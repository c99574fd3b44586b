"""Start a program, give it its input, and take its output while it comes: never longer than a time allows."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Sequence

import msgspec

_KEPT_COMPLAINT_BYTES = 16 << 10
_GOODBYE_S = 2.0


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """How it ended.

    Attributes:
        code: the exit status; None where it had to be ended.
        complaint: the end of its standard error.
        over: which limit of time was broken, in words.
    """

    code: int | None
    complaint: str
    over: str | None = None


def talk(
    command: Sequence[str],
    given: bytes,
    take: Callable[[bytes], bool],
    *,
    first_s: float,
    quiet_s: float,
    total_s: float,
) -> Talk:
    """Run ``command`` with ``given`` as its standard input.

    It runs in a session of its own: it can ask nobody for a password, and what it starts ends with it.

    Args:
        command: the program and its words.
        given: all of its standard input.
        take: called with each piece of its standard output; True ends the talk.
        first_s: how long to wait for the first piece.
        quiet_s: how long for every other.
        total_s: how long for all.

    Raises:
        OSError: it cannot be started.
    """
    program = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    with program:
        complaint = bytearray()
        try:
            over = _converse(program, given, take, complaint, (first_s, quiet_s, total_s))
            code = None if over is not None else _end(program)
        finally:
            _kill(program)
    return Talk(code=code, complaint=complaint.decode(errors="replace"), over=over)


def _converse(
    program: subprocess.Popen[bytes],
    given: bytes,
    take: Callable[[bytes], bool],
    complaint: bytearray,
    limits_s: tuple[float, float, float],
) -> str | None:
    """Write and read at once; returns the limit that was broken."""
    assert program.stdin is not None
    assert program.stdout is not None
    assert program.stderr is not None
    first_s, quiet_s, total_s = limits_s
    left = memoryview(given)
    os.set_blocking(program.stdin.fileno(), False)
    began = time.monotonic()
    quiet_end, quiet = began + first_s, f"nothing came in {first_s:g} s"
    with selectors.DefaultSelector() as pipes:
        pipes.register(program.stdin, selectors.EVENT_WRITE)
        pipes.register(program.stdout, selectors.EVENT_READ)
        pipes.register(program.stderr, selectors.EVENT_READ)
        while program.stdout in pipes.get_map():
            now = time.monotonic()
            if now > began + total_s:
                return f"it took longer than {total_s:g} s"
            if now > quiet_end:
                return quiet
            for key, _ in pipes.select(min(quiet_end, began + total_s) - now):
                if key.fileobj is program.stdin:
                    left = _write(key.fd, left)
                    if not left:
                        pipes.unregister(program.stdin)
                        program.stdin.close()
                    continue
                piece = os.read(key.fd, 1 << 16)
                if not piece:
                    pipes.unregister(key.fileobj)
                elif key.fileobj is program.stderr:
                    complaint += piece
                    del complaint[:-_KEPT_COMPLAINT_BYTES]
                else:
                    quiet_end, quiet = time.monotonic() + quiet_s, f"nothing more came in {quiet_s:g} s"
                    if take(piece):
                        return None
        _hear_out(program, complaint)
    return None


def _hear_out(program: subprocess.Popen[bytes], complaint: bytearray) -> None:
    """What it still has to complain of: it ended, or will at once; what it started may hold the pipe for ever."""
    assert program.stderr is not None
    with contextlib.suppress(subprocess.TimeoutExpired):
        program.wait(_GOODBYE_S)
    os.set_blocking(program.stderr.fileno(), False)
    with contextlib.suppress(BlockingIOError):
        complaint += os.read(program.stderr.fileno(), _KEPT_COMPLAINT_BYTES)
    del complaint[:-_KEPT_COMPLAINT_BYTES]


def _write(pipe: int, left: memoryview) -> memoryview:
    try:
        return left[os.write(pipe, left) :]
    except BrokenPipeError:
        return left[:0]  # it ended or does not read; its exit tells which


def _end(program: subprocess.Popen[bytes]) -> int | None:
    try:
        return program.wait(_GOODBYE_S)
    except subprocess.TimeoutExpired:
        return None


def _kill(program: subprocess.Popen[bytes]) -> None:
    """End it and what it started (a jump host is a second ssh)."""
    if program.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
