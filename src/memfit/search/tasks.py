"""Tasks in JSON lines, answered by log likelihood: no text is sampled, so the result is the same each time.

A line is multiple choice, ``{"question": ..., "choices": [...], "answer": 0}``, or an exact match, ``{"prompt": ...,
"answer": "..."}``: right where every token of the answer is the likeliest.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from memfit.engine.predictions import Continuation
from memfit.engine.workbench import Workbench
from memfit.errors import UsageError
from memfit.search.lines import read_lines
from memfit.search.records import TaskResult
from memfit.search.statistics import mcnemar

_HINT = '{"question": "…", "choices": ["…", "…"], "answer": 0} or {"prompt": "…", "answer": "…"}, one a line'


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A question with its continuations; ``right`` is the number of the right one, None for an exact match."""

    line: int
    before: str
    after: tuple[str, ...]
    right: int | None


class Tasks(msgspec.Struct, frozen=True, kw_only=True):
    """A file of them."""

    file: str
    sha256: str
    tasks: tuple[Task, ...]


def read_tasks(path: str) -> Tasks:
    """Read a file of tasks.

    Raises:
        UsageError: it cannot be read, or a line is no task; says which.
    """
    try:
        data = Path(path).read_bytes()
        text = data.decode("utf-8")
    except OSError as failure:
        raise UsageError(f"{path}: {failure.strerror or failure}", hint=_HINT) from failure
    except UnicodeDecodeError as failure:
        raise UsageError(f"{path}: byte {failure.start} is not UTF-8", hint=_HINT) from failure
    found = tuple(_task(entry, path, number) for number, entry in read_lines(text, path, hint=_HINT))
    if not found:
        raise UsageError(f"{path} has no tasks", hint=_HINT)
    return Tasks(file=path, sha256=hashlib.sha256(data).hexdigest(), tasks=found)


def _task(entry: Any, path: str, number: int) -> Task:
    def refuse(what: str) -> UsageError:
        return UsageError(f"{path}, line {number}: {what}", hint=_HINT)

    if not isinstance(entry, dict):
        raise refuse("no object")
    before = next((entry[name] for name in ("question", "prompt", "context") if isinstance(entry.get(name), str)), None)
    if before is None:
        raise refuse("no question")
    answer = entry.get("answer", entry.get("label", entry.get("gold")))
    choices = entry.get("choices")
    if choices is None:
        if not isinstance(answer, str) or not answer:
            raise refuse("answer is no text")
        return Task(line=number, before=before, after=(answer,), right=None)
    if not isinstance(choices, list) or len(choices) < 2 or not all(isinstance(one, str) and one for one in choices):
        raise refuse("choices are not two texts or more")
    if isinstance(answer, str) and answer in choices:
        answer = choices.index(answer)
    elif isinstance(answer, str) and len(answer) == 1 and "A" <= answer <= "Z":
        answer = ord(answer) - ord("A")
    if not isinstance(answer, int) or isinstance(answer, bool) or not 0 <= answer < len(choices):
        raise refuse(f"answer {answer!r} is none of the {len(choices)} choices")
    return Task(line=number, before=before, after=tuple(choices), right=answer)


def refuse_unfit(bench: Workbench, tasks: Tasks, window_tokens: int) -> None:
    """Before anything is spent on them: what a window does not hold cannot be answered.

    Raises:
        UsageError: a task is too long, or nothing stands before its answer; says which.
    """
    items = [(task.line, task.before, after) for task in tasks.tasks for after in task.after]
    for (line, *_), tokens in zip(items, bench.lengths([item[1:] for item in items]), strict=True):
        if tokens > window_tokens:
            raise UsageError(
                f"{tasks.file}, line {line}: {tokens} tokens, and a window has {window_tokens}",
                hint=f"shorten it, or give --window {1 << (tokens - 1).bit_length()}",
            )
        if tokens < 2:
            raise UsageError(f"{tasks.file}, line {line}: nothing that the answer could follow from", hint=_HINT)


def answered(bench: Workbench, path: str | None, tasks: Tasks, *, kv: tuple[str, str] | None = None) -> list[bool]:
    """Whether a model answers each rightly: the likeliest choice a byte, or the exact match.

    ``kv``: formats of K and V in its cache, F16 where None.
    """
    items = [(task.before, after) for task in tasks.tasks for after in task.after]
    found = list(bench.continuations(path, items, kv=kv))
    right = []
    at = 0
    for task in tasks.tasks:
        mine = found[at : at + len(task.after)]
        at += len(task.after)
        right.append(mine[0].greedy if task.right is None else _likeliest(task, mine) == task.right)
    return right


def _likeliest(task: Task, found: list[Continuation]) -> int:
    # by byte: a longer choice is less likely as a whole, whatever it says (acc_norm of lm-evaluation-harness)
    rates = [one.nats / len(text.encode()) for one, text in zip(found, task.after, strict=True)]
    return min(range(len(rates)), key=rates.__getitem__)


def result(tasks: Tasks, right: list[bool], base: list[bool] | None) -> TaskResult:
    """The figures of a model's answers, beside its base's."""
    found = TaskResult(file=tasks.file, sha256=tasks.sha256, tasks=len(right), right=sum(right))
    if base is None:
        return found
    lost = sum(one and not other for one, other in zip(base, right, strict=True))
    won = sum(other and not one for one, other in zip(base, right, strict=True))
    return msgspec.structs.replace(found, base_right=sum(base), lost=lost, won=won, p_value=mcnemar(lost, won))
