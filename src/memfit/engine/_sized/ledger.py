"""The parts of a ledger that every engine has, and its end."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from memfit.engine._engine import Ledger
from memfit.engine._sized.cache import state_bytes
from memfit.engine._sized.figures import Allocator, Range, exactly, headroom, term
from memfit.engine._sized.request import Request
from memfit.engine.records import Part, Source, Term
from memfit.units import format_bytes, format_tokens


def weights_term(wanted: Request, formula: str) -> Term:
    """Every tensor as it is stored."""
    return term("weights", wanted.pool, exactly(wanted.facts.weights_bytes), "formula", formula)


def kv_term(wanted: Request, size: int, formula: str, *, low: int | None = None, error: str = "") -> Term | None:
    """The cache, None for models without one; ``low`` where less may be touched."""
    if not size:
        return None
    kinds = f", {wanted.options.kv_type_k}"
    bounds = Range(size if low is None else low, size, size)
    return term("kv_cache", wanted.pool, bounds, "formula", formula + kinds, error)


def state_term(wanted: Request) -> Term | None:
    """Recurrent state, None for models without any."""
    size = state_bytes(wanted)
    if size.empty:
        return None
    words = f"(convolution + state numbers) of all layers × {wanted.slots} requests"
    return term("recurrent_state", wanted.pool, size, "formula", words, "low: kept in 16 bits; likely: in 32")


def runtime_term(
    wanted: Request, size: Range, source: Source, formula: str, error: str = "", parts: tuple[Part, ...] = ()
) -> Term:
    """The process or processes around the model."""
    return term("runtime", wanted.host_pool, size, source, formula, error, parts)


def finish(
    wanted: Request,
    terms: Sequence[Term | None],
    *,
    allocator: Allocator,
    warnings: Sequence[str],
    backend: str | None = None,
) -> Ledger:
    """The ledger with room for peaks and what holds for every engine."""
    held = [one for one in terms if one is not None]
    held.append(headroom(held, wanted.pool, allocator))
    return Ledger(
        terms=tuple(held),
        engine=f"{wanted.engine} by its rules, {backend or wanted.options.backend}; not asked",
        warnings=(*warnings, *_usual(wanted)),
    )


def _usual(wanted: Request) -> Iterator[str]:
    trained = wanted.shape.context_trained_tokens
    if trained and wanted.context_tokens > trained:
        yield (
            f"a context of {format_tokens(wanted.context_tokens)} tokens is above the trained {format_tokens(trained)}:"
            f" {wanted.engine} refuses it, or has to be told to allow it"
        )
    if wanted.options.backend == "cuda" and not wanted.device.unified:
        yield "the GPU has a memory of its own, which is not read: everything is judged against one capacity"


def least_fraction(held_bytes: int, of_bytes: int) -> float:
    """The smallest share in hundredths that holds so much; above 1 where the whole does not."""
    return math.ceil(100 * held_bytes / max(1, of_bytes)) / 100


def fraction_words(wanted: Request, *, flag: str, least: float, default: float, of_bytes: int, of: str) -> str:
    """What a share means here, in one sentence."""
    given = wanted.options.memory_fraction
    named = default if given is None else given
    taken = int(named * of_bytes)
    start = "its default" if given is None else "the given"
    if least > 1:
        return f"no {flag} serves this: it would take {least:.2f} times {of}"
    words = f"{flag} {least:.2f} is the least that serves this; {start} {named:.2f} takes {format_bytes(taken)} of {of}"
    if given is not None and given < least:
        return f"{words}, too little: {wanted.engine} refuses to start"
    if taken > wanted.device.capacity_bytes:
        free = format_bytes(wanted.device.capacity_bytes)
        return f"{words}, more than the {free} that are free here: {wanted.engine} refuses to start with it"
    return words
