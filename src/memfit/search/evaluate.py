"""A model's quality on a text: perplexity, divergence from its base, tasks, and memory and speed beside them.

Windows, positions and divergences are those of ``llama-perplexity --kl-divergence`` (tools/perplexity/perplexity.cpp,
0c1e57098) on the same text: whole windows, each beginning as a text does, the second half of each predicted.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import msgspec

from memfit.device import find_device
from memfit.engine.predictions import Scored
from memfit.engine.records import Options
from memfit.engine.workbench import Workbench
from memfit.errors import MemfitError, ModelError, UsageError
from memfit.footprint.estimate import estimate
from memfit.model.file import read_shape
from memfit.model.shape import ModelShape
from memfit.search import reference
from memfit.search.base import refuse_speechless
from memfit.search.records import Evaluation, TaskResult, Text
from memfit.search.setting import fitting_window
from memfit.search.statistics import quality
from memfit.search.tasks import Tasks, answered, read_tasks, refuse_unfit, result
from memfit.search.text import Passage, read_text

Said = Callable[[str, int, int], None]
_FEW_WINDOWS = 10


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be evaluated.

    Attributes:
        model: a GGUF file.
        against: its base, a GGUF file, or a reference that was kept of one; None for perplexity alone.
        text: a file; the bundled sample where None.
        tasks: files of tasks.
        keep_reference: keep a sample of the model's own predictions in this file, for others to be held against.
        tokens: use only so many of the text, from its start; all where None.
        kv: formats of the KV cache of ``model``.
        speed: measure it too.
    """

    model: str
    against: str | None = None
    text: str | None = None
    tasks: tuple[str, ...] = ()
    keep_reference: str | None = None
    window_tokens: int = 512
    tokens: int | None = None
    threads: int | None = None
    kv: tuple[str, str] = ("F16", "F16")
    speed: bool = True
    overwrite: bool = False


def evaluate(question: Question, said: Said = lambda _what, _done, _total: None) -> Evaluation:
    """Run the models and count.

    Raises:
        EngineMissing, EngineFailed: there is no engine, or it cannot do this.
        ModelError: a file that cannot be read.
        UsageError: too little text, tasks that are none, models of different vocabularies, a reference of another text.
    """
    began = time.monotonic()
    shape = read_shape(question.model)
    refuse_speechless(question.model, shape)
    question = msgspec.structs.replace(question, window_tokens=fitting_window(shape, question.window_tokens))
    passage = read_text(question.text)
    tasks = tuple(read_tasks(path) for path in question.tasks)
    kept = reference.find(question.against)
    base_shape = read_shape(question.against) if question.against is not None and kept is None else None
    if base_shape is not None and question.against is not None:
        refuse_speechless(question.against, base_shape)
        _refuse_others(shape, base_shape, question)
    if question.keep_reference is not None:
        if question.against is not None:
            raise UsageError("--keep-reference is of a base, and --against another", hint="evaluate the base alone")
        if question.kv != ("F16", "F16"):
            raise UsageError("--keep-reference is of a base, whose cache is F16", hint="give --kv with --against")
        read = [*(one.path for one in shape.shards), *question.tasks, *([question.text] if question.text else [])]
        reference.refuse(Path(question.keep_reference), read=read, overwrite=question.overwrite)
    with ExitStack() as opened:
        bench = opened.enter_context(
            Workbench(base_shape or shape, window_tokens=question.window_tokens, threads=question.threads)
        )
        tokens, windows = bench.text(passage.parts)
        used = _windows(windows, tokens, question, passage)
        for one in tasks:
            refuse_unfit(bench, one, question.window_tokens)
        first = question.window_tokens // 2
        against = "" if question.against is None else "base"
        if kept is not None:
            used = reference.use(kept, bench, shape, passage, question.window_tokens, used)
            against = "kept"
        if question.keep_reference is None:
            scored = _scored(bench, question, used, first, against, said)
        else:
            scored = reference.gather(bench, used, shape, first=first, said=said)
        _refuse_numberless(scored, question)
        results = tuple(_tasks(bench, question, one, base_shape is not None) for one in tasks)
        speed = bench.generate(question.model, kv=question.kv) if question.speed else None
        if question.keep_reference is not None:
            place = Path(question.keep_reference)
            reference.keep(
                place,
                bench,
                passage,
                shape,
                window_tokens=question.window_tokens,
                first=first,
                overwrite=question.overwrite,
            )
        engine = bench.engine
    found = quality(scored)
    text = Text(
        name=passage.name,
        sha256=passage.sha256,
        tokens=tokens,
        windows=len(used),
        window_tokens=question.window_tokens,
        first=first,
        bundled=passage.bundled,
    )
    return Evaluation(
        model=question.model,
        base=question.against,
        bytes=_bytes(shape),
        base_bytes=None if base_shape is None else _bytes(base_shape),
        memory_bytes=_memory(question),
        text=text,
        perplexity=found.perplexity,
        kl_mean=found.kl_mean,
        kl_ci95=found.kl_ci95,
        top1=found.top1,
        quality=found,
        tasks=results,
        speed=speed,
        engine=engine,
        seconds=round(time.monotonic() - began, 1),
        notes=_notes(text, shape.name, found.tokens, sampled=kept is not None, has_base=question.against is not None),
    )


def _scored(bench: Workbench, question: Question, used: list[int], first: int, against: str, said: Said) -> Scored:
    kv = None if question.kv == ("F16", "F16") else question.kv
    path = None if question.against is None and kv is None else question.model
    for done, part in enumerate(bench.score(path, used, first=first, against=against, kv=kv), 1):
        if isinstance(part, Scored):
            return part
        said("reading", done, len(used))
    raise AssertionError("a score ends with its sum")


def _tasks(bench: Workbench, question: Question, tasks: Tasks, has_base: bool) -> TaskResult:
    base = answered(bench, None, tasks) if has_base else None
    path = question.model if question.against is not None else None
    return result(tasks, answered(bench, path, tasks, kv=question.kv), base)


def _windows(windows: int, tokens: int, question: Question, passage: Passage) -> list[int]:
    most = windows if question.tokens is None else min(windows, question.tokens // question.window_tokens)
    if most < 2:
        asked = f", of which {question.tokens} are used" if question.tokens is not None else ""
        raise UsageError(
            f"{passage.name} has {tokens} tokens{asked}, and two windows of {question.window_tokens} are needed",
            hint="give a longer text, or smaller windows: --window 128",
        )
    return list(range(most))


def _refuse_others(shape: ModelShape, base: ModelShape, question: Question) -> None:
    if shape.vocabulary_tokens != base.vocabulary_tokens:
        raise UsageError(
            f"{question.model} knows {shape.vocabulary_tokens} tokens and {question.against} {base.vocabulary_tokens}",
            hint="only models of one vocabulary can be held against each other: give the file it was quantized from",
        )


def _refuse_numberless(scored: Scored, question: Question) -> None:
    """What is no number would pass for one in a mean, in JSON and in a comparison."""
    for one in scored.windows:
        of_base = one.base_nats is not None and not math.isfinite(one.base_nats)
        if of_base or not math.isfinite(one.nats) or not math.isfinite(one.divergence or 0.0):
            raise ModelError(
                "predicts no numbers: weights are not finite",
                file=question.against if of_base else question.model,
                hint="the file is damaged, or its conversion was: download or convert it again",
            )


def _memory(question: Question) -> int | None:
    """What serving it here likely takes, with a context of its windows; None where it cannot be told."""
    try:
        options = Options(context_tokens=question.window_tokens, kv_type_k=question.kv[0], kv_type_v=question.kv[1])
        found = estimate(question.model, options=options, device=find_device(), source="formula", relief=False)
    except MemfitError:
        return None
    return found.likely_bytes


def _bytes(shape: ModelShape) -> int:
    return sum(shard.bytes for shard in shape.shards)


def _notes(text: Text, name: str, tokens: int, *, sampled: bool, has_base: bool) -> tuple[str, ...]:
    notes = []
    if text.bundled:
        notes.append("measured on the bundled sample, English prose and code: --text takes what your users write")
    notes.append(
        f"measured on {tokens:,} predictions of one text: other texts, languages and longer contexts may lose more"
    )
    if text.windows < _FEW_WINDOWS:
        notes.append(f"intervals of {text.windows} windows are rough: a longer text narrows them")
    if has_base:
        notes.append(f"holds for this model: what {name} loses says little of models of another size")
    if sampled:
        notes.append("the base is a sample of its predictions: divergences are unbiased, with some more spread")
    return tuple(notes)
