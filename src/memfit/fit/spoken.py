"""Models for speech in a search: what runs them is another engine than for language models, and no table holds them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from memfit.engine.runtimes import ENGINES
from memfit.fit.exact import exact
from memfit.fit.formats import formats_of
from memfit.fit.records import FitRow
from memfit.fit.rows import Search, row_of
from memfit.model.speech import SPEECH, Speech
from memfit.precision.schemes import SCHEMES

USE = "speech"


def speech_models(names: Sequence[str], needs: Sequence[str]) -> list[Speech]:
    """Those that are named, or all where the use is theirs; without a use models for language are looked for."""
    if names:
        wanted = {SPEECH.get(name).name for name in names if name in SPEECH}
        return [model for model in SPEECH if model.name in wanted]
    return list(SPEECH) if USE in needs else []


def engines_of(model: Speech, search: Search) -> tuple[str, ...]:
    """Those that were asked for, or else what usually runs it."""
    return search.wish.engines or (model.engine,)


def rows_of(model: Speech, search: Search) -> Iterator[FitRow]:
    """One row for every engine and format that takes it."""
    for engine in engines_of(model, search):
        formats: list[str | None] = [None]
        if model.config is not None:
            wanted = [format for format in search.wish.formats if format in SCHEMES]
            usual = () if ENGINES.get(engine).reads == "gguf" else formats_of(engine)
            formats = [*(wanted if search.wish.formats else usual)]
        elif search.wish.formats:
            continue  # it is published in one format
        for found in exact(model.name, search.device, search.wish, engine, formats, search.refused):
            search.considered += max(1, found.looked_at)
            yield row_of(model.name, search, found, released=model.released, task=model.task, uses=(USE,))
