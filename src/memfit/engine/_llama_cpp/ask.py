"""Ask a program that may die, hang or talk nonsense: one question in, one answer out, within a time."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence

from memfit.errors import EngineFailed

_MOST_ANSWER_BYTES = 256 * 1024**2
_KEPT_COMPLAINT_BYTES = 16 * 1024
WITHOUT_IT = "compute it with --source formula, which asks no engine"
_BUILD_FOLDER = re.compile(r"/\S+?/llama\.cpp/")  # an assertion names its file by where the package was built
_HINTS = {
    signal.SIGKILL: "the kernel kills like this when memory runs out: free some, or ask for a smaller context",
    signal.SIGXCPU: "it used up its CPU time: ask for a smaller context, or compute it with --source formula",
    signal.SIGABRT: "the engine's own assertion: it does not support this model or these options; see --source formula",
    signal.SIGSEGV: "a crash inside the engine; another version of it may not have it, and --source formula asks none",
}


def ask(
    command: Sequence[str], question: bytes, *, timeout_s: float, environment: Mapping[str, str] | None = None
) -> bytes:
    """What ``command`` writes to its standard output when ``question`` is its standard input.

    The program is killed when the time is over and when it floods its output.

    Raises:
        EngineFailed: it cannot be started, did not answer in time, died by a signal, or exited with another code than
            0; carries the end of its standard error.
    """
    try:
        program = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        )
    except OSError as error:
        raise EngineFailed(f"the engine's process cannot start: {error}", hint=WITHOUT_IT) from None
    with program:
        try:
            answer, complaint = _converse(program, question, time.monotonic() + timeout_s)
        except _Late:
            program.kill()
            raise EngineFailed(
                f"the engine did not answer in {timeout_s:g} s",
                hint="ask for a smaller context, or compute it with --source formula",
            ) from None
        except _Flood:
            program.kill()
            raise EngineFailed("the engine's answer has no end", hint=WITHOUT_IT) from None
        except BaseException:
            program.kill()
            raise
    _check(program.returncode, complaint.decode(errors="replace"))
    return answer


class _Late(Exception):
    pass


class _Flood(Exception):
    pass


def _converse(program: subprocess.Popen[bytes], question: bytes, deadline: float) -> tuple[bytes, bytes]:
    """Write and read at once, so that neither side waits for the other's full pipe."""
    assert program.stdin is not None
    assert program.stdout is not None
    assert program.stderr is not None
    heard = {program.stdout.fileno(): bytearray(), program.stderr.fileno(): bytearray()}
    answer, complaint = heard.values()
    left = memoryview(question)
    os.set_blocking(program.stdin.fileno(), False)
    with selectors.DefaultSelector() as pipes:
        pipes.register(program.stdin, selectors.EVENT_WRITE)
        pipes.register(program.stdout, selectors.EVENT_READ)
        pipes.register(program.stderr, selectors.EVENT_READ)
        while pipes.get_map():
            for key, _ in pipes.select(_left(deadline)):
                if key.fileobj is program.stdin:
                    left = _write(key.fd, left)
                    if not left:
                        pipes.unregister(program.stdin)
                        program.stdin.close()
                    continue
                piece = os.read(key.fd, 1 << 16)
                if not piece:
                    pipes.unregister(key.fileobj)
                heard[key.fd] += piece
            del complaint[:-_KEPT_COMPLAINT_BYTES]
            if len(answer) > _MOST_ANSWER_BYTES:
                raise _Flood
    try:
        program.wait(_left(deadline))
    except subprocess.TimeoutExpired:
        raise _Late from None
    return bytes(answer), bytes(complaint)


def _write(pipe: int, left: memoryview) -> memoryview:
    try:
        return left[os.write(pipe, left) :]
    except BrokenPipeError:
        return left[:0]  # it died or does not read; its exit tells which


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise _Late
    return left


def _check(code: int, complaint: str) -> None:
    if code == 0:
        return
    lines = [line for line in complaint.strip().splitlines() if line.strip()]
    last = f": {_BUILD_FOLDER.sub('', lines[-1].strip())}" if lines else ""
    if code < 0:
        try:
            died = signal.Signals(-code)
        except ValueError:
            raise EngineFailed(
                f"the engine's process was ended by signal {-code}{last}", hint=WITHOUT_IT, said=complaint
            ) from None
        raise EngineFailed(
            f"the engine's process was ended by {died.name}{last}", hint=_HINTS.get(died, WITHOUT_IT), said=complaint
        )
    raise EngineFailed(f"the engine's process ended with code {code}{last}", hint=WITHOUT_IT, said=complaint)
