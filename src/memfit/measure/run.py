"""Run a deployment under a limit, make it work, and record what it showed, however it ended."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import msgspec

import memfit
from memfit.device.process import read_process
from memfit.engine import Start
from memfit.engine.records import Deployment, Profile, Workload
from memfit.engine.runtimes import ENGINES
from memfit.errors import UsageError
from memfit.footprint.estimate import find_models
from memfit.footprint.setting import shape_digest
from memfit.measure import drive_events, drive_openai, file_cache
from memfit.measure.completions import Client
from memfit.measure.course import Course, Ended
from memfit.measure.guard import Guard
from memfit.measure.interruption import Interrupted, interruptible
from memfit.measure.keeping import Keeping
from memfit.measure.limits import Fence, TooSmall, open_fence, refuse_too_small
from memfit.measure.program import Program
from memfit.measure.records import EngineIdentity, Limit, Machine, Observation, Outcome, Phase
from memfit.measure.sampler import Sampler
from memfit.measure.this_machine import this_machine

if TYPE_CHECKING:
    from memfit.measure.store import Store

SILENCE_S = 600.0
"""How long an engine may give no sign: a batch of 2048 tokens of an 8B model takes minutes on a small board."""

_JOIN_S = 5.0  # for systemd to put a program into its scope


@dataclass(frozen=True)
class _Plan:
    """What is run, as it is known before it runs."""

    start: Start
    deployment: Deployment
    profile: Profile
    workload: Workload
    limit_bytes: int | None
    pid: int | None
    timeout_s: float
    meters: bool
    digest: str
    machine: Machine


def observe(
    deployment: Deployment,
    *,
    profile: Profile = "library",
    workload: Workload | None = None,
    limit_bytes: int | None = None,
    store: Store | None = None,
    command: Sequence[str] | None = None,
    url: str | None = None,
    pid: int | None = None,
    timeout_s: float | None = None,
    meters: bool = True,
    on_phase: Callable[[Phase], None] | None = None,
) -> Observation:
    """Run a deployment once and record it.

    The engine runs embedded in a child process; or ``command`` starts a server; or a server that runs already is asked
    at ``url`` and watched as process ``pid``. The model's cached pages are dropped first, and whatever is started gets
    a fresh control group with the limit, where that may be made: else it is only watched, and ``limit.note`` says why.

    Whatever becomes of the run is its result: an engine that was killed, failed or hung, and a run that was interrupted
    (Ctrl-C, SIGTERM, the terminal closed) give an observation with that outcome and all that was seen before. Nothing
    of what was started runs on afterwards.

    Args:
        deployment: what is run; with ``command`` or ``url``, what those were read as.
        profile: whose process it is, the engine's library or its server.
        workload: what it is made to do.
        limit_bytes: the memory it is held to, page cache included; None without a limit.
        store: keeps the run from its beginning on, phase by phase; None keeps nothing.
        command: words that start a server of the deployment's engine.
        url: where a server answers, with its ``pid``.
        pid: of that server, or of a parent of its processes.
        timeout_s: without a sign of life after which the engine is taken to hang; ``SILENCE_S`` where None.
        meters: whether to read the board's meters (power, temperature, GPU memory) beside memory.
        on_phase: called with every phase as it is recorded.

    Raises:
        UsageError: arguments that contradict each other, an address that cannot be, a workload that the context does
            not hold, or a limit in which no process starts.
        ModelError: a file that cannot be used.
        EngineMissing: no engine to embed.
        ProbeError, NeedsRoot: there is no such process, or it belongs to someone else.
        MeasureError: the store cannot be written; one that fails later is said in ``limit.note`` and ends no run.
    """
    workload = workload or Workload()
    start = _start(deployment, profile, workload, limit_bytes, command, url, pid)
    if start.url:
        Client(start.url, timeout_s=1.0)  # an address that cannot be is refused before anything is kept
    refuse_too_small(limit_bytes)
    plan = _Plan(
        start=start,
        deployment=deployment,
        profile=profile,
        workload=workload,
        limit_bytes=limit_bytes,
        pid=pid,
        timeout_s=SILENCE_S if timeout_s is None else timeout_s,
        meters=meters,
        digest=shape_digest(find_models(deployment)),
        machine=this_machine(),
    )
    backend = deployment.options.backend
    course = Course(EngineIdentity(name=deployment.engine, version="", backend=backend))
    began = datetime.now(timezone.utc).isoformat(timespec="seconds")
    kept = None if store is None else Keeping(store, _record(plan, course, began, "running", ""))

    def record_phase(phase: Phase) -> None:
        if kept is not None:
            kept.progress(_record(plan, course, began, "running", ""))
        if on_phase is not None:
            on_phase(phase)

    course.on_phase = record_phase
    outcome: Outcome = "failed"
    reason = "memfit itself failed"
    try:
        outcome, reason = _supervise(plan, course)
    finally:
        observation = _record(plan, course, began, outcome, reason)
        if kept is not None:
            observation = kept.finish(observation)
    return observation


def _start(
    deployment: Deployment,
    profile: Profile,
    workload: Workload,
    limit_bytes: int | None,
    command: Sequence[str] | None,
    url: str | None,
    pid: int | None,
) -> Start:
    engine = ENGINES.get(deployment.engine)
    if command and url:
        raise UsageError("a command and an address", hint="give the command to start a server, or the url of one")
    if (url is None) != (pid is None):
        raise UsageError(
            "a server that runs is watched by its address and its process",
            hint="give both --url and --pid; find the process with: pidof llama-server",
        )
    if url is None or pid is None:
        return engine.serve(command, deployment, workload) if command else engine.start(deployment, profile, workload)
    if limit_bytes is not None:
        raise UsageError(
            "a process that runs already cannot be held to a limit", hint="give the command that starts it instead"
        )
    read_process(pid)
    return msgspec.structs.replace(engine.serve((), deployment, workload), url=url)


def _supervise(plan: _Plan, course: Course) -> tuple[Outcome, str]:
    """Run it to its end, and leave nothing behind.

    Signals are heard from the first thing that would be left behind until all is taken down.
    """
    with interruptible() as listening, ExitStack() as left:
        try:
            _run(plan, course, left)
        except Ended as ended:
            return ended.outcome, ended.reason
        except (Interrupted, KeyboardInterrupt) as interrupted:
            return "interrupted", str(interrupted) or "it was interrupted (Ctrl-C)"
        finally:
            listening.calm()
            course.freeze()
    return "completed", ""


def _run(plan: _Plan, course: Course, left: ExitStack) -> None:
    """Put up the fence, start the engine, follow it; ``left`` takes down what is put up, in the reverse order."""
    start = plan.start
    if plan.pid is not None:
        note = "it ran already: only watched"
        course.attach(Fence(limit=Limit(note=note)), plan.pid, start.files)
        course.sample(left.enter_context(_sampler(plan, plan.pid, None)))
        drive_openai.drive(None, course, start, plan.workload, timeout_s=plan.timeout_s)
        return
    if start.url and Client(start.url, timeout_s=1.0).taken():
        raise Ended("failed", f"the port of {start.url} is taken: another program answers there")
    course.note(file_cache.drop(start.files))
    guard = Guard()
    left.callback(guard.dismiss)
    try:
        fence = open_fence(plan.limit_bytes)
    except TooSmall:
        raise Ended("killed", "the kernel kills whatever is started in this limit") from None
    left.callback(lambda: course.note(fence.close()))
    guard.group(fence)
    course.attach(fence, 0)
    try:
        environment = {**os.environ, **start.environment}
        program = Program(start.words, environment, talks=start.protocol == "events", prefix=fence.prefix)
    except (OSError, ValueError) as error:  # ValueError: a word with a zero in it
        raise Ended("failed", f"the engine cannot be started: {error}") from None
    left.callback(_end, program, course, plan.deployment.engine)
    guard.program(program.pid)
    course.attach(fence, program.pid, start.files)
    _join(fence, program, course)
    guard.group(fence)
    course.sample(left.enter_context(_sampler(plan, program.pid, fence)))
    if start.protocol == "events":
        program.tell(start.job)
        drive_events.drive(program, course, timeout_s=plan.timeout_s)
    else:
        drive_openai.drive(program, course, start, plan.workload, timeout_s=plan.timeout_s)


def _sampler(plan: _Plan, pid: int, fence: Fence | None) -> Sampler:
    group = None if fence is None else fence.group
    folder = None if group is None else group.folder
    return Sampler(pid, folder, meters=None if plan.meters else (), endpoint=plan.start.url or None)


def _join(fence: Fence, program: Program, course: Course) -> None:
    """Find the group of a program that something else puts into it."""
    deadline = time.monotonic() + _JOIN_S
    while fence.join is not None and fence.group is None and program.code is None:
        fence.joined(program.pid)
        if fence.group is None and time.monotonic() > deadline:
            course.note("its control group was not found, so what it was charged with is not known")
            return
        program.hear(0.05)


def _end(program: Program, course: Course, engine: str) -> None:
    """End the program with all of its processes, and read what it has printed."""
    if not program.kill():
        course.note(f"process {program.pid} runs on: memfit may not end it")
    program.rest()
    program.close()
    log = ENGINES.get(engine).read_log(program.said.text)
    course.said = program.said.end
    course.add_buffers(log.buffers)
    known = course.engine
    course.engine = msgspec.structs.replace(
        known, version=known.version or log.version, instructions=known.instructions or log.instructions
    )


def _record(plan: _Plan, course: Course, began: str, outcome: Outcome, reason: str) -> Observation:
    fence = course.fence
    limit = fence.limit if fence is not None else Limit(limit_bytes=plan.limit_bytes)
    note = "; ".join(part for part in (limit.note, *course.notes) if part)
    return Observation(
        began=began,
        duration_s=course.at_s,
        outcome=outcome,
        reason=reason,
        machine=plan.machine,
        engine=course.engine,
        deployment=plan.deployment,
        profile=plan.profile,
        shape_digest=plan.digest,
        workload=plan.workload,
        limit=msgspec.structs.replace(limit, note=note),
        phases=tuple(course.phases),
        samples=course.samples,
        readings=course.readings,
        paging=course.paging,
        peak_pss_bytes=course.peak_pss_bytes,
        mapped_elsewhere_bytes=course.mapped_elsewhere_bytes,
        charged_elsewhere_bytes=course.charged_elsewhere_bytes,
        peak_limit_bytes=course.peak_limit_bytes,
        unevictable_bytes=course.unevictable_bytes,
        buffers=course.buffers,
        prompt_tokens_per_s=course.prompts.tokens_per_s,
        decode_tokens_per_s=course.answers.tokens_per_s,
        said=course.said,
        memfit_version=memfit.__version__,
    )
