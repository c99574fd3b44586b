"""Rows of a model of the catalog: the formats that each engine takes it in, from the table or predicted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from memfit.engine.runtimes import ENGINES
from memfit.errors import UsageError
from memfit.fit.candidates import Candidate
from memfit.fit.exact import FORMATS_LOOKED_AT, Exact, exact
from memfit.fit.formats import bits_of, form_of, formats_of
from memfit.fit.records import FitRow
from memfit.fit.rows import Search, row_of
from memfit.fit.tabled import tabled
from memfit.precision.presets import PRESETS
from memfit.precision.schemes import SCHEMES
from memfit.precision.support import Support, how

# what a preset of GGUF keeps of a published format is a scheme of checkpoints itself
_AS_SCHEME = {"MXFP4_MOE": "mxfp4"}


def rows_of_catalog(candidate: Candidate, search: Search) -> Iterator[FitRow]:
    """Every format on every engine of the search that takes it."""
    for engine in search.engines:
        native = _native(candidate, engine, search)
        in_table, others = _formats(candidate, engine, native, search)
        for format in in_table:
            search.considered += 1
            if _runs(format, engine, search):
                found = tabled(candidate, search, engine, format, candidate.sizes.engines[engine])
                yield _row(candidate, search, found, native=format == native)
        for format in others:
            for found in exact(candidate.name, search.device, search.wish, engine, [format], search.refused):
                search.considered += found.looked_at
                yield _row(candidate, search, found, native=format == native)


def _row(candidate: Candidate, search: Search, found: Exact, *, native: bool) -> FitRow:
    card = candidate.card
    return row_of(candidate.name, search, found, released=card.released, native=native, uses=card.uses)


def _native(candidate: Candidate, engine: str, search: Search) -> str | None:
    """The format that its makers publish it in, as this engine takes it; None where it does not."""
    preset = candidate.card.native_format
    if not preset or ENGINES.get(engine).reads == "gguf":
        return preset
    scheme = _AS_SCHEME.get(preset)
    support = None if scheme is None else how(SCHEMES.get(scheme), engine, search.capability)
    return None if support is None or support.how == "unsupported" else scheme


def _formats(candidate: Candidate, engine: str, native: str | None, search: Search) -> tuple[list[str], list[str]]:
    """Those that the table has, and those that are predicted one by one."""
    usual = formats_of(engine)
    if native:
        # what was published in so many bits is not made better by more of them
        fewer = (format for format in usual if format != native and bits_of(format) <= bits_of(native))
        usual = (native, *fewer)
    if search.wish.formats:
        wanted = {form_of(format).name: format for format in search.wish.formats if _is_of(format, engine)}
        known = {form_of(format).name: format for format in usual}
        usual = tuple(known.get(name, format) for name, format in wanted.items())
        if not wanted:
            search.refused.append(_no_such_format(engine, search.wish.formats))
    sizes = candidate.sizes.engines.get(engine)
    if search.in_table(engine) and sizes is not None:
        # what the table leaves out of the usual ones, the engine or its quantizer refuses
        asked = usual if search.wish.formats else (native,) if native in usual else ()
        return [one for one in usual if one in sizes.formats], [one for one in asked if one not in sizes.formats]
    if not search.wish.formats and ENGINES.get(engine).reads == "gguf":
        usual = tuple(one for one in usual if one in FORMATS_LOOKED_AT or one == native)
    return [], _that_could_fit(candidate, usual, search)


def _that_could_fit(candidate: Candidate, formats: Sequence[str], search: Search) -> list[str]:
    """What is larger than the memory by its weights alone need not be predicted, but for the least of it."""
    weights = {format: profile.weights for format, profile in candidate.sizes.profiles.items()}
    able = [one for one in formats if weights.get(one, 0) <= search.device.capacity_bytes]
    return able or list(formats[-1:])


def _no_such_format(engine: str, formats: Sequence[str]) -> UsageError:
    name, asked = ENGINES.get(engine).name, ", ".join(form_of(format).name for format in formats)
    reads = "presets of GGUF (memfit list presets)" if ENGINES.get(engine).reads == "gguf" else "formats of checkpoints"
    return UsageError(f"{name} takes {reads}, and no {asked}", hint="take another --format, or another --engine")


def _is_of(format: str, engine: str) -> bool:
    return format in (PRESETS if ENGINES.get(engine).reads == "gguf" else SCHEMES)


@cache
def _support_of(format: str, engine: str, capability: str) -> Support | None:
    return how(form_of(format), engine, capability)


def _runs(format: str, engine: str, search: Search) -> bool:
    """Whether the engine runs the format on this chip; where nobody knows, it is taken to."""
    if search.capability is None or ENGINES.get(engine).on_the_processor:
        return True
    support = _support_of(format, engine, search.capability)
    if support is None or support.how != "unsupported":
        return True
    name, chip = ENGINES.get(engine).name, search.device.gpu
    search.refused.append(UsageError(f"{name} does not run {form_of(format).name} on {chip}: {support.says}"))
    return False
