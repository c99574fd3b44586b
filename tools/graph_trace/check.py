"""Estimates held against the engine on settings that had no part in making them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from graph_trace.turns import explicit, followers, knobs_of, shrink
from memfit.engine._llama_cpp.compute import Estimate, compute_bytes
from memfit.engine._llama_cpp.oracle import Described, reserve
from memfit.engine._llama_cpp.reservation import Reserved
from memfit.engine._llama_cpp.settings import is_quantized, resolve
from memfit.engine._llama_cpp.work import work_bytes
from memfit.engine.records import Options
from memfit.errors import MemfitError, UsageError
from memfit.model._build import card_shape
from memfit.model.cards import Card
from memfit.model.metadata import Value
from memfit.model.shape import ModelShape

FORMATS = ("F16", "F16", "F16", "Q8_0", "Q8_0", "Q4_0", "BF16", "F32")
PRESETS = ("F16", "Q4_K_M", "Q8_0", "Q4_0", "Q5_K_S", "IQ4_NL", "Q6_K", "BF16")
# every model of its architecture has the same
CONSTANT = ("n_deepstack_layers",)
# models drawn for each that is wanted: most combinations of sizes make no model
TRIES = 20
SCALES = tuple(Fraction(text) for text in ("1/2", "1", "1", "3/2", "2", "3"))


@dataclass(frozen=True)
class Residual:
    """One estimate against the engine, in bytes."""

    model: str
    options: Options
    engine_bytes: int
    estimate: Estimate

    @property
    def error(self) -> float:
        """Relative error of the likely figure."""
        return self.estimate.likely_bytes / self.engine_bytes - 1

    @property
    def under(self) -> bool:
        """Whether the upper bound was too low."""
        return self.estimate.high_bytes < self.engine_bytes


def random_options(rng: random.Random) -> Options:
    """Options as people set them, and some that they do not."""
    slots = rng.choice((1, 1, 1, 2, 3, 4, 8))
    flash = rng.random() < 0.7
    key = rng.choice(FORMATS)
    value = key if rng.random() < 0.8 else rng.choice(FORMATS)
    return Options(
        context_tokens=rng.choice((300, 512, 2048, 4096, 8192, 10000, 32768)),
        slots=slots,
        unified_kv=rng.random() < 0.4,
        batch_tokens=rng.choice((64, 512, 2048, 2048)),
        ubatch_tokens=rng.choice((1, 16, 33, 100, 128, 512, 512, 1024)),
        kv_type_k=key,
        kv_type_v="F16" if not flash and is_quantized(value) else value,
        flash_attention=flash,
        full_window_cache=rng.random() < 0.5,
        output_rows=rng.choice((0, 0, slots, 7)),
        rollback_tokens=rng.choice((0, 0, 0, 2)),
        repack=rng.random() < 0.5,
    )


def relatives(card: Card, rng: random.Random) -> Iterator[Card]:
    """The card, and models like it with other sizes and other numbers of layers; the engine may refuse some."""
    yield card
    while True:
        base = explicit(card)
        metadata = dict(base.metadata)
        keys = [key for key in knobs_of(base) if key not in CONSTANT]
        for key in rng.sample(keys, min(4, len(keys))):
            metadata[key] = _scaled(metadata[key], rng.choice(SCALES))
        metadata.update(followers(base.metadata, metadata))
        layers = int(str(metadata["block_count"]))
        full = replace(base, metadata=metadata)
        yield shrink(full, rng.randint(max(2, layers // 2), layers)) if rng.random() < 0.5 else full


def residuals(
    cards: Sequence[Card], *, models: int, options: int, seed: int, threads: int = 4, work: bool = False
) -> list[Residual]:
    """Fresh models around the cards, each with fresh options, asked of the engine and estimated.

    Each card is held against the engine as it is; the rest of ``models`` are relatives that the engine takes.
    """
    rng = random.Random(seed)
    found: list[Residual] = []
    sources = [relatives(card, rng) for card in cards]
    for number in range(TRIES * models):
        if len(found) >= models * options and number >= len(sources):
            break
        model = next(sources[number % len(sources)])
        try:
            shape = card_shape(model, rng.choice(PRESETS))
            wanted = [replace_threads(_taken(shape, rng), threads) for _ in range(options)]
            found += list(_asked(model, shape, wanted, work))
        except (MemfitError, ZeroDivisionError):
            continue
    return found


def _taken(shape: ModelShape, rng: random.Random) -> Options:
    """Random options that the engine does not refuse: over too few rows it ends, and all answers are lost."""
    while True:
        options = random_options(rng)
        try:
            resolve(shape, options)
        except UsageError:
            continue
        return options


def replace_threads(options: Options, threads: int) -> Options:
    """The options with a number of threads."""
    return Options(**{**{name: getattr(options, name) for name in options.__struct_fields__}, "threads": threads})


def _asked(model: Card, shape: ModelShape, wanted: Sequence[Options], work: bool) -> Iterator[Residual]:
    tensors = [(tensor.name, tensor.dims, tensor.format) for tensor in shape.tensors]
    answer = reserve(Described(metadata=model.header(), tensors=tensors), wanted)
    for options, context in zip(wanted, answer.contexts, strict=True):
        if not isinstance(context, Reserved):
            continue
        if not work:
            yield Residual(model.name, options, context.compute_bytes, compute_bytes(shape, options))
        elif context.work is not None:
            estimate = work_bytes(shape, options, threads=options.threads, instructions=answer.engine.instructions)
            yield Residual(model.name, options, context.work.prefill_bytes, estimate)


def _scaled(value: Value, factor: Fraction) -> Value:
    if isinstance(value, (int, float)):
        return max(1, int(value * factor)) if value else value  # what a model has none of, its relatives have none of
    return [int(item * factor) for item in value if isinstance(item, (int, float))]
