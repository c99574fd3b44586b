"""A run in words, tables and pictures: what views of observations and of verifications share."""

from __future__ import annotations

from collections.abc import Sequence

from memfit.engine.records import Workload
from memfit.measure.records import Limit, Observation, Paging, Phase, Sample
from memfit.render.document import Bullets, Cell, Column, Mark, Row, Table, Timeline, Trace
from memfit.render.drawing.scale import amount_text
from memfit.render.views._figures import gib, mib
from memfit.units import format_tokens

MOST_POINTS = 300
"""Of a picture over time: two for every pixel of a narrow page."""
_MOST_MARKS = 12
_MECHANISMS = {"cgroup_v2": "cgroup v2", "cgroup_v1": "cgroup v1", "systemd_scope": "systemd scope"}


def machine_words(observation: Observation) -> str:
    """``Intel Xeon · 2 threads · 23.54 GiB · Linux 6.18.44``."""
    machine = observation.machine
    what = machine.board or machine.cpu
    return f"{what} · {machine.threads} threads · {gib(machine.total_bytes)} · Linux {machine.kernel}"


def engine_words(observation: Observation) -> str:
    """``llama_cpp 0c1e570 (llama-cpp-python 0.3.36) · cpu``."""
    engine = observation.engine
    return f"{engine.name} {engine.version} · {engine.backend}"


def limit_words(limit: Limit) -> str:
    """What held the run to its memory, and how well."""
    if limit.limit_bytes is None:
        return "none"
    held = f" by {_MECHANISMS[limit.mechanism]}" if limit.mechanism != "none" else ", only watched and not enforced"
    swap = f", {gib(limit.swap_bytes)} of swap" if limit.swap_bytes else ""
    note = f" ({limit.note})" if limit.note else ""
    return f"{gib(limit.limit_bytes)}{held}{swap}{note}"


def workload_words(workload: Workload) -> str:
    """``512 prompt and 32 generated tokens, 2 users, 5 rounds``."""
    prompt = "prompts of the whole context" if workload.fill_context else "a prompt of a whole ubatch"
    if workload.prompt_tokens and not workload.fill_context:
        prompt = f"a prompt of {format_tokens(workload.prompt_tokens)} tokens"
    users = f", {workload.users} users" if workload.users > 1 else ""
    often = f", {workload.rounds} rounds" if workload.rounds > 1 else ""
    if workload.soak_s:
        often = f", over and over for {duration_words(workload.soak_s)}"
    return f"{prompt}, then {workload.generate_tokens} tokens generated{users}{often}"


def speed_words(observation: Observation, unlimited_tokens_per_s: float | None = None) -> str:
    """Prompt and decode speed, and the share of the unlimited one."""
    prompt, decode = observation.prompt_tokens_per_s, observation.decode_tokens_per_s
    words = []
    if prompt is not None:
        words.append(f"prompt {prompt:.1f} tokens/s")
    if decode is not None:
        words.append(f"decode {decode:.1f} tokens/s")
    if decode is not None and unlimited_tokens_per_s:
        words[-1] += f", {decode / unlimited_tokens_per_s:.0%} of its {unlimited_tokens_per_s:.1f} without a limit"
    return " · ".join(words) or "not measured"


def paging_words(paging: Paging) -> str:
    """What the kernel did to make room."""
    words = []
    if paging.refaults_scope != "none":
        whole = " of the whole machine" if paging.refaults_scope == "machine" else ""
        words.append(f"{paging.refaults} pages read again{whole}")
    words.append(f"{paging.major_faults} major faults")
    if paging.limit_failures:
        words.append(f"the limit was hit {paging.limit_failures} times")
    if paging.oom_kills:
        words.append(f"{paging.oom_kills} killed for memory")
    if paging.stalled_s is not None:
        words.append(f"{paging.stalled_s:.1f} s spent waiting for memory")
    return " · ".join(words)


def duration_words(seconds: float) -> str:
    """``10 min``, ``45 s``."""
    return f"{seconds / 60:.3g} min" if seconds >= 120 else f"{seconds:.3g} s"


def phases_table(observation: Observation) -> Table | None:
    """Memory at the moments the engine stood still; of many rounds the first and the last ones."""
    phases = observation.phases
    if not phases:
        return None
    shown = phases if len(phases) <= 14 else (*phases[:8], *phases[-5:])
    rows: list[Row] = []
    for phase in shown:
        speed = f"{phase.tokens / phase.seconds:.1f}" if phase.tokens and phase.seconds else ""
        rows.append(
            (
                Cell(phase.name),
                Cell(f"{phase.at_s:.1f}", quiet=True),
                mib(phase.pss_bytes),
                mib(phase.anonymous_bytes),
                mib(phase.file_bytes),
                mib(phase.swapped_bytes),
                Cell(speed),
            )
        )
    columns = (
        Column("phase"),
        Column("s", "right", spare=True),
        Column("PSS", "right"),
        Column("anonymous", "right"),
        Column("file-mapped", "right"),
        Column("swapped", "right", spare=True),
        Column("tokens/s", "right", spare=True),
    )
    left_out = len(phases) - len(shown)
    title = "Phases, MiB" + (f" ({left_out} rounds in the middle left out)" if left_out else "")
    return Table(title, columns, tuple(rows))


def readings_table(observation: Observation) -> Table | None:
    """Least, most and last of every further meter's figures."""
    rows = tuple(
        (
            Cell(figure_words(reading.meter)),
            Cell(figure_words(reading.name)),
            *(Cell(amount_text(amount, reading.unit)) for amount in (min(values), max(values), values[-1])),
        )
        for reading in observation.readings
        if (values := reading.values)
    )
    figures = (Column("least", "right", spare=True), Column("most", "right"), Column("last", "right", spare=True))
    return Table("Further meters", (Column("meter"), Column("figure"), *figures), rows) if rows else None


def figure_words(name: str) -> str:
    """``held by run`` for ``held_by_run``; what the hardware calls itself stays: ``VDD_IN``."""
    return name.replace("_", " ") if name.islower() else name


def said_last(observation: Observation, most: int) -> Bullets | None:
    """The last lines that the engine printed."""
    lines = [line.strip() for line in observation.said.splitlines() if line.strip()]
    return Bullets(tuple(lines[-most:]), title="What the engine said last") if lines else None


def memory_over_time(observation: Observation) -> Timeline | None:
    """Resident memory over the run against its limit; every point the most of its stretch of time."""
    resident = resident_trace(observation, "resident", leading=True)
    if resident is None:
        return None
    traces = [resident]
    charged = [(one.at_s, one.limited_bytes) for one in stretches(observation.samples) if one.limited_bytes]
    if charged:
        at_s, sizes = zip(*charged, strict=True)
        traces.append(Trace(name="charged", at_s=at_s, values=tuple(map(float, sizes))))
    limit = observation.limit.limit_bytes
    return Timeline(
        title="Memory over time",
        description=(
            f"{len(resident.values)} points over {duration_words(observation.samples[-1].at_s)}: resident memory peaks"
            f" at {gib(int(max(resident.values)))}" + (f" under a limit of {gib(limit)}." if limit is not None else ".")
        ),
        traces=tuple(traces),
        marks=tuple(Mark(name=phase.name, at_s=phase.at_s) for phase in _told_phases(observation)),
        limit=limit,
    )


def resident_trace(observation: Observation, name: str, *, leading: bool = False) -> Trace | None:
    """Resident memory over the run; None of a run that was too short for a picture."""
    if len(observation.samples) < 3:
        return None
    shown = stretches(observation.samples)
    return Trace(
        name=name,
        at_s=tuple(one.at_s for one in shown),
        values=tuple(float(one.resident_bytes) for one in shown),
        leading=leading,
    )


def stretches(samples: Sequence[Sample]) -> list[Sample]:
    """At most ``MOST_POINTS`` samples, each the largest of its stretch of time."""
    step = max(1, -(-len(samples) // MOST_POINTS))
    pieces = (samples[start : start + step] for start in range(0, len(samples), step))
    return [max(piece, key=lambda one: one.resident_bytes) for piece in pieces]


def _told_phases(observation: Observation) -> tuple[Phase, ...]:
    """The phases of a picture; of many rounds the first."""
    return observation.phases[:_MOST_MARKS]
