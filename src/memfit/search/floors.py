"""What has to hold, as people write it: ``kl=0.03``, ``ppl=+2%``, ``task:questions.jsonl=-1pt``."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from memfit.errors import UsageError
from memfit.search.records import Floor, Held, Quality, TaskResult

_HINT = "kl=0.03 (nats), ppl=+2%, task:FILE=-1pt; several --floor together all have to hold"
_KL = re.compile(r"kl\s*=\s*([0-9.eE+-]+)")
_PPL = re.compile(r"ppl\s*=\s*\+?([0-9.eE-]+)\s*%")
_TASK = re.compile(r"task:(.+)=\s*-?([0-9.]+)\s*(?:pt|pts|%)")


def parse_floor(written: str) -> Floor:
    """One floor.

    Raises:
        UsageError: it cannot be read, or asks for nothing that can be.
    """
    text = written.strip()
    try:
        if found := _KL.fullmatch(text):
            return _checked(Floor(kind="kl", most=float(found[1]), written=text))
        if found := _PPL.fullmatch(text):
            return _checked(Floor(kind="ppl", most=float(found[1]) / 100, written=text))
        if found := _TASK.fullmatch(text):
            return _checked(Floor(kind="task", most=float(found[2]) / 100, file=found[1], written=text))
    except ValueError:
        pass
    raise UsageError(f"--floor {written!r} is no floor", hint=_HINT)


def _checked(floor: Floor) -> Floor:
    if not math.isfinite(floor.most) or floor.most < 0 or (floor.kind == "kl" and floor.most == 0):
        raise UsageError(f"--floor {floor.written!r}: nothing quantized is exactly its base", hint=_HINT)
    return floor


def held(floors: Iterable[Floor], quality: Quality, tasks: Sequence[TaskResult]) -> tuple[Held, ...]:
    """Each floor beside what was measured.

    Divergence and perplexity count with the upper end of their 95 % interval: what is said to hold may not be luck.
    Tasks count as they were answered: their interval is wider than any floor unless there are thousands, and is told.
    """
    return tuple(_held(floor, quality, tasks) for floor in floors)


def _held(floor: Floor, quality: Quality, tasks: Sequence[TaskResult]) -> Held:
    if floor.kind == "kl":
        measured = quality.kl_ci95[1] if quality.kl_ci95 else math.inf
    elif floor.kind == "ppl":
        measured = quality.perplexity_ratio_ci95[1] - 1 if quality.perplexity_ratio_ci95 else math.inf
    else:
        task = next(one for one in tasks if one.file == floor.file)
        measured = ((task.base_right or 0) - task.right) / task.tasks
    return Held(floor=floor.written, measured=measured, holds=measured <= floor.most + 1e-12)
