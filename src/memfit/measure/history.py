"""Runs that were kept, as a list and as pairs."""

from __future__ import annotations

import msgspec

from memfit.measure.records import Observation, Outcome


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A run in one line.

    Attributes:
        id: of the store.
        began: UTC, ISO 8601.
        machine: key of the machine that ran it; ``engine``: key of ``engine.runtimes``.
        model: file or name, as it was deployed; ``format``: the preset it was asked for in, None: the file's own.
        limit_bytes: None without a limit.
        enforced: whether something held it to the limit; None without one, and before that is known.
        outcome: as in ``Observation``.
        peak_pss_bytes, decode_tokens_per_s, duration_s: what is known of them so far.
    """

    id: int
    began: str
    machine: str
    engine: str
    model: str
    format: str | None = None
    limit_bytes: int | None = None
    outcome: Outcome
    peak_pss_bytes: int
    decode_tokens_per_s: float | None = None
    duration_s: float
    enforced: bool | None = None


class Runs(msgspec.Struct, frozen=True, kw_only=True):
    """The runs in a store, newest first.

    Attributes:
        store: the file.
        items: those that were asked for.
        count: how many there are in all.
    """

    store: str
    items: tuple[RunSummary, ...]
    count: int
    schema_version: int = 1


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Something that two runs did not have in common, by its path in ``Observation``: ``deployment.options.slots``."""

    name: str
    first: str | int | float | bool | None
    second: str | int | float | bool | None


class RunComparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two runs side by side.

    Attributes:
        changes: what was run differently: machine, engine, deployment, workload, limit.
        peak_pss_difference_bytes: second less first.
        unevictable_difference_bytes: likewise.
        decode_ratio: decode speed of the second over that of the first; None where one has none.
    """

    first: Observation
    second: Observation
    changes: tuple[Change, ...] = ()
    peak_pss_difference_bytes: int
    unevictable_difference_bytes: int
    decode_ratio: float | None = None
    schema_version: int = 1


_COMPARED = ("machine", "engine", "deployment", "profile", "shape_digest", "workload", "limit", "memfit_version")
_LEFT_OUT = ("limit.note", "deployment.schema_version")


def compare_runs(first: Observation, second: Observation) -> RunComparison:
    """Put two runs side by side."""
    one, other = _flat(first), _flat(second)
    ratio = None
    if first.decode_tokens_per_s and second.decode_tokens_per_s is not None:
        ratio = round(second.decode_tokens_per_s / first.decode_tokens_per_s, 4)
    return RunComparison(
        first=first,
        second=second,
        changes=tuple(
            Change(name=name, first=one.get(name), second=other.get(name))
            for name in dict.fromkeys((*one, *other))
            if one.get(name) != other.get(name) and name not in _LEFT_OUT
        ),
        peak_pss_difference_bytes=second.peak_pss_bytes - first.peak_pss_bytes,
        unevictable_difference_bytes=second.unevictable_bytes - first.unevictable_bytes,
        decode_ratio=ratio,
    )


def _flat(observation: Observation) -> dict[str, str | int | float | bool | None]:
    """What was run, one figure or word a name."""
    found: dict[str, str | int | float | bool | None] = {}

    def visit(name: str, part: object) -> None:
        if isinstance(part, dict):
            for key, inner in part.items():
                visit(f"{name}.{key}", inner)
        elif isinstance(part, (list, tuple)):
            found[name] = ", ".join(str(inner) for inner in part)
        elif part is None or isinstance(part, (str, int, float, bool)):
            found[name] = part

    built = msgspec.to_builtins(observation)
    for name in _COMPARED:
        visit(name, built[name])
    return found
