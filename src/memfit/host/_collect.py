"""Run the collector somewhere, and take what it says."""

from __future__ import annotations

from collections.abc import Sequence

from memfit.errors import ProbeError
from memfit.host._complaint import before_start, by_hand, half_way, named, old_python, too_slow
from memfit.host._program import OLDEST_PYTHON, program
from memfit.host._stream import Nonsense, Stream
from memfit.host._talk import talk
from memfit.host._target import Target
from memfit.host.records import Manifest
from memfit.host.snapshot import Snapshot

CONNECT_S = 10
QUIET_S = 15.0  # the collector itself is never silent for longer than a few calls to the kernel may take


def collect(command: Sequence[str], manifest: Manifest, target: Target | None, *, quiet_s: float = QUIET_S) -> Snapshot:
    """What the collector says when ``command`` gives it to a Python.

    Args:
        command: starts the Python; the collector is its standard input.
        manifest: what to read.
        target: where that is; None is this machine.
        quiet_s: for how long it may say nothing.

    Raises:
        ProbeError: it gives none; says why.
    """
    given, marker = program(manifest)
    stream = Stream(marker, manifest)

    def take(piece: bytes) -> bool:
        stream.feed(piece)
        return stream.finished

    try:
        ended = talk(
            command, given, take, first_s=CONNECT_S + quiet_s, quiet_s=quiet_s, total_s=manifest.total_s + CONNECT_S
        )
        if stream.finished:
            return stream.snapshot()
    except Nonsense as error:
        raise ProbeError(
            f"{named(target)}: its answer makes no sense: {error}", hint=by_hand(target, "python3 -V")
        ) from None
    except FileNotFoundError as error:
        raise ProbeError(f"there is no {command[0]} here", hint="apt install openssh-client") from error
    except OSError as error:
        raise ProbeError(f"{command[0]} cannot start: {error.strerror}") from error
    if stream.old_python is not None:
        raise old_python(target, stream.old_python, OLDEST_PYTHON)
    if stream.late is not None:
        raise too_slow(target, f"reading took longer than {manifest.total_s:g} s", stream.late, "")
    if ended.over is not None:
        raise too_slow(target, ended.over, stream.last, ended.complaint)
    if not stream.started:
        raise before_start(target, ended.code, ended.complaint, stream.noise)
    raise half_way(target, ended.code, ended.complaint, stream.last)
