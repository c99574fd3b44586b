"""The catalog's models in every format and context, summed up beforehand: thousands of footprints in an instant.

A footprint of one model falls apart into what its format decides and what its context decides, so both are kept apart
and added. The table is made by ``tools/generate_sizes.py`` from the same ``predict`` that answers ``memfit estimate``,
for boards whose GPU shares the memory; a test compares sums with predictions. Options other than the engine's defaults
are not in it, and are predicted one by one; what the size of the device alone decides is not in it either, and is
added.
"""

from __future__ import annotations

import zlib
from functools import cache
from pathlib import Path

import msgspec

from memfit.device.records import Device
from memfit.engine.records import Options
from memfit.engine.records import Profile as Program
from memfit.engine.runtimes import ENGINES
from memfit.speed.touched import Caches, Experts, Profile, Scores

FILE = Path(__file__).with_name("_sizes.bin")
CONTEXTS = (
    *(512, 1024, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768, 49152),
    *(65536, 98304, 131072, 196608, 262144),
)
PROGRAM: Program = "server"
"""Who can run something here asks for an answer, so an engine is taken as its server."""
BASE_TOKENS = 512
"""The context that the sizes of formats are of; those of contexts are what comes on top."""


class FormatSizes(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A format on one engine at ``BASE_TOKENS``, in bytes.

    ``kept_weights`` and ``kept_rest`` cannot be evicted; ``working`` is the evictable part that each token reads.
    """

    kept_weights: int
    kept_rest: int
    evictable: int
    working: int
    likely: int


class ContextSizes(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a context adds to ``BASE_TOKENS``, in bytes; it is no part of the weights."""

    kept: int
    likely: int


class EngineSizes(msgspec.Struct, frozen=True, array_like=True):
    """One model on one engine: by format, and by context."""

    formats: dict[str, FormatSizes]
    contexts: dict[int, ContextSizes]


class FormatProfile(msgspec.Struct, frozen=True, array_like=True):
    """What speed depends on in one format; see ``speed.touched.Profile``. ``weights`` are the bytes of the file."""

    weights: int
    stored: str
    dense_bytes: int
    dense_numbers: int
    tables: tuple[tuple[int, int], ...]
    experts: tuple[tuple[float, int, int], ...]
    output_numbers: int


class ModelSizes(msgspec.Struct, frozen=True, array_like=True):
    """One model of the catalog."""

    parameters: int
    parameters_active: int
    trained_tokens: int
    profiles: dict[str, FormatProfile]
    caches: tuple[tuple[int, int, int, int, int], ...]
    scores: tuple[tuple[int, int, int], ...]
    state_bytes: int
    layers: int
    expert_layers: int
    engines: dict[str, EngineSizes]


class Table(msgspec.Struct, frozen=True):
    """The table: models by the key of their card."""

    models: dict[str, ModelSizes]


class Sum(msgspec.Struct, frozen=True):
    """A footprint as a table knows it, in bytes; the fields mean the same as in ``Footprint``."""

    likely: int
    high: int
    required: int
    kept: int


def contexts_of(trained_tokens: int) -> tuple[int, ...]:
    """Those that are looked at: of ``CONTEXTS`` what the model is trained for, and its trained context."""
    within = [tokens for tokens in CONTEXTS if tokens <= trained_tokens]
    if trained_tokens < CONTEXTS[-1] and trained_tokens not in within:
        within.append(trained_tokens)
    return tuple(within)


def served(engine: str) -> Options:
    """An engine's options as its server has them, without the caches that only save time.

    llama-server saves prompts in up to 8 GiB and states of windows beside them (``--cache-ram 8192``,
    ``--ctx-checkpoints 32``); where memory is what one looks for, both are 0.
    """
    return msgspec.structs.replace(ENGINES.get(engine).profiles[PROGRAM], cache_ram_bytes=0, checkpoints=0)


@cache
def table() -> Table:
    """The table that ships with memfit; read once."""
    return msgspec.msgpack.decode(zlib.decompress(FILE.read_bytes()), type=Table)


def add(engine: str, device: Device, of_format: FormatSizes, of_context: ContextSizes) -> Sum:
    """The footprint of one format at one context on a device."""
    runtime = ENGINES.get(engine)
    likely_here, high_here = runtime.of_device(device)
    rest = of_format.kept_rest + of_context.kept + high_here
    kept = of_format.kept_weights + rest
    kept += runtime.peak_bytes(of_format.kept_weights, rest)
    return Sum(
        likely=of_format.likely + of_context.likely + likely_here,
        high=kept + of_format.evictable,
        required=kept + of_format.working,
        kept=kept,
    )


def profile_of(model: ModelSizes, format: str, shape: object) -> Profile:
    """What speed is computed from; ``shape`` is asked for only by engines that fuse nothing."""
    found = model.profiles[format]
    return Profile(
        shape=shape,  # type: ignore[arg-type]  # absent where nobody asks
        format=found.stored,
        dense_bytes=found.dense_bytes,
        dense_numbers=found.dense_numbers,
        tables=found.tables,
        experts=tuple(Experts(*one) for one in found.experts),
        caches=tuple(Caches(*one) for one in model.caches),
        scores=tuple(Scores(*one) for one in model.scores),
        output_numbers=found.output_numbers,
        state_bytes=model.state_bytes,
        layers=model.layers,
        expert_layers=model.expert_layers,
    )
