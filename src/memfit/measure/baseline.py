"""What a runtime costs before any model: each brought up in a process of its own, and read there.

PSS is taken in the child just before and just after the runtime comes up, so that the interpreter is not counted.
Mapped files count whole, as if nothing else ran: what a runtime costs must not depend on who else has its libraries.
Memory on a GPU's side is in no PSS; the drop of MemAvailable, which is noisy, tells of it where CPU and GPU share one
memory.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Literal

import msgspec

from memfit.errors import UsageError
from memfit.measure.baselines import RUNTIMES, Runtime
from memfit.measure.baselines._runtime import DOCUMENT
from memfit.measure.records import Machine
from memfit.measure.this_machine import this_machine

DEFAULT_RUNS = 3
DEFAULT_TIMEOUT_S = 120.0

Outcome = Literal["measured", "missing", "failed", "hung", "no process"]
Seen = Callable[[str], None]

_PROBE = Path(__file__).parent / "baselines" / "_probe.py"
_KEPT_COMPLAINT_BYTES = 4096


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """One runtime: what it took here, and what a document says. Medians of all runs.

    Attributes:
        key: of the catalog.
        outcome: ``measured``; ``missing``: not installed; ``failed``: it raised or crashed; ``hung``: it took longer
            than it may; ``no process``: it is none.
        reason: of any other outcome than ``measured``, in a sentence.
        version: of the installed package, None where it does not tell.
        brings_up: what was brought up.
        net_bytes: PSS that the runtime added to a bare interpreter, with mapped files whole.
        shared_bytes: what PSS alone would leave out of the whole process, because others had mapped the same files.
        spread_bytes: between the largest and the smallest run.
        anonymous_bytes: the part of ``net_bytes`` that the kernel cannot drop.
        resident_bytes: what was added to the resident size: also memory shared with other processes counts in full.
        bare_bytes: PSS of the interpreter before with mapped files whole, not part of ``net_bytes``.
        peak_bytes: largest resident size of the whole process (VmHWM).
        available_drop_bytes: by how much MemAvailable fell meanwhile: the GPU's side too where memory is unified, and
            everything else that ran on the machine.
        duration_s: until it was up.
        runs: how many were measured.
        documented_low_bytes, documented_high_bytes: what the document gives, None where it has no such row.
    """

    key: str
    name: str
    outcome: Outcome
    reason: str = ""
    version: str | None = None
    brings_up: str = ""
    net_bytes: int | None = None
    spread_bytes: int | None = None
    anonymous_bytes: int | None = None
    resident_bytes: int | None = None
    shared_bytes: int | None = None
    bare_bytes: int | None = None
    peak_bytes: int | None = None
    available_drop_bytes: int | None = None
    duration_s: float | None = None
    runs: int = 0
    documented_low_bytes: int | None = None
    documented_high_bytes: int | None = None
    note: str = ""


class Baselines(msgspec.Struct, frozen=True, kw_only=True):
    """The runtimes that were asked for, on one machine.

    Attributes:
        python: version of the interpreter that the runtimes ran in, None where none answered.
        document: where the documented figures are from.
    """

    machine: Machine
    python: str | None
    rows: tuple[Baseline, ...]
    document: str = DOCUMENT
    schema_version: int = 1


class _Held(msgspec.Struct):
    pss_bytes: int
    whole_bytes: int
    anonymous_bytes: int
    resident_bytes: int


class _Answer(msgspec.Struct):
    python: str
    missing: bool = False
    failed: str | None = None
    version: str | None = None
    before: _Held | None = None
    after: _Held | None = None
    peak_bytes: int = 0
    available_drop_bytes: int = 0
    duration_s: float = 0.0


class _Trouble(Exception):
    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome: Outcome = outcome
        self.reason = reason


def measure_baselines(
    names: Sequence[str] = (),
    *,
    python: str | None = None,
    runs: int = DEFAULT_RUNS,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    seen: Seen | None = None,
) -> Baselines:
    """Bring runtimes up, one after the other, and read what each takes; one that does not come up has a row too.

    Args:
        names: keys or aliases of ``RUNTIMES``; all of them where none is given.
        python: the interpreter that has the runtimes; memfit's own where None.
        runs: processes for each runtime.
        timeout_s: most that one of them may take.
        seen: called with the name of each runtime before it is brought up.

    Raises:
        UnknownName: no such runtime; the hint names the nearest.
        UsageError: no such interpreter.
    """
    chosen = [RUNTIMES.get(name) for name in names] if names else list(RUNTIMES)
    interpreter = _interpreter(python)
    keys = {runtime.name: key for key, runtime in RUNTIMES.items()}
    rows: list[Baseline] = []
    spoken: str | None = None
    for runtime in dict.fromkeys(chosen):
        if seen is not None:
            seen(runtime.name)
        row, version = _row(keys[runtime.name], runtime, interpreter, runs, timeout_s)
        rows.append(row)
        spoken = spoken or version
    return Baselines(machine=this_machine(), python=spoken, rows=tuple(rows))


def _row(key: str, runtime: Runtime, python: str, runs: int, timeout_s: float) -> tuple[Baseline, str | None]:
    row = Baseline(
        key=key,
        name=runtime.name,
        outcome="no process",
        reason=runtime.note,
        brings_up=runtime.brings_up,
        documented_low_bytes=runtime.documented_low_bytes,
        documented_high_bytes=runtime.documented_high_bytes,
        note=runtime.note,
    )
    if not runtime.module:
        return row, None
    spoken, version = None, None
    answers: list[_Answer] = []
    change = msgspec.structs.replace
    try:
        for _ in range(runs):
            answer = _ask(runtime, python, timeout_s)
            spoken, version = answer.python, answer.version
            if answer.missing:
                raise _Trouble("missing", f"not installed: no module {runtime.module}")
            if answer.failed is not None:
                raise _Trouble("failed", _one_line(answer.failed))
            answers.append(answer)
    except _Trouble as trouble:
        return change(row, outcome=trouble.outcome, reason=trouble.reason, version=version), spoken
    return change(_measured(row, answers), version=version), spoken


def _measured(row: Baseline, answers: Sequence[_Answer]) -> Baseline:
    pairs = [(answer.before, answer.after) for answer in answers if answer.before and answer.after]
    net = [after.whole_bytes - before.whole_bytes for before, after in pairs]
    return msgspec.structs.replace(
        row,
        outcome="measured",
        reason="",
        net_bytes=_middle(net),
        spread_bytes=max(net) - min(net),
        anonymous_bytes=_middle([after.anonymous_bytes - before.anonymous_bytes for before, after in pairs]),
        resident_bytes=_middle([after.resident_bytes - before.resident_bytes for before, after in pairs]),
        shared_bytes=_middle([after.whole_bytes - after.pss_bytes for _, after in pairs]),
        bare_bytes=_middle([before.whole_bytes for before, _ in pairs]),
        peak_bytes=_middle([answer.peak_bytes for answer in answers]),
        available_drop_bytes=_middle([answer.available_drop_bytes for answer in answers]),
        duration_s=float(median(answer.duration_s for answer in answers)),
        runs=len(answers),
    )


def _middle(values: Sequence[int]) -> int:
    return int(median(values))


def _ask(runtime: Runtime, python: str, timeout_s: float) -> _Answer:
    """One process: the runtime comes up in it, or does not, within the time; all that it started ends with it.

    Raises:
        _Trouble: it hung, died, or talked nonsense.
    """
    question = {
        "module": runtime.module,
        "distribution": runtime.distribution or runtime.module,
        "statement": runtime.statement,
    }
    with tempfile.TemporaryFile() as complaints:
        child = subprocess.Popen(
            [python, str(_PROBE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            start_new_session=True,
            cwd="/",  # an empty entry in a module path means this folder
        )
        try:
            raw, _ = child.communicate(msgspec.json.encode(question), timeout=timeout_s)
        except subprocess.TimeoutExpired:
            raise _Trouble("hung", f"it was not up after {timeout_s:g} s") from None
        finally:
            _end(child)
        complaints.seek(max(0, complaints.seek(0, os.SEEK_END) - _KEPT_COMPLAINT_BYTES))
        said = complaints.read().decode(errors="replace")
    if child.returncode < 0:
        raise _Trouble("failed", f"the process died: {signal.Signals(-child.returncode).name}")
    try:
        answer = msgspec.json.decode(raw, type=_Answer)
    except msgspec.MsgspecError:
        raise _Trouble("failed", _one_line(said) or "the process ended without an answer") from None
    if not answer.missing and answer.failed is None and (answer.before is None or answer.after is None):
        raise _Trouble("failed", "the process ended without an answer")
    return answer


def _end(child: subprocess.Popen[bytes]) -> None:
    """End it with everything it started."""
    with suppress(ProcessLookupError, PermissionError):  # all of it is gone already
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()


def _interpreter(python: str | None) -> str:
    if python is None:
        return sys.executable
    found = shutil.which(python)
    if found is None:
        raise UsageError(f"no such interpreter: {python}", hint="as in --python /opt/venv/bin/python")
    return str(Path(found).absolute())


def _one_line(text: str) -> str:
    """The last line that says something, which is where Python puts the error."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
