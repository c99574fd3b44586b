"""Random deployments, the same for the same seed."""

from __future__ import annotations

import random
from functools import cache

import msgspec

from memfit.engine.records import Options
from memfit.errors import MemfitError
from memfit.model import ModelShape, find_model
from memfit.model.cards import CARDS
from memfit.precision import FORMATS
from memfit.units import GIB, MIB

LEAST_PARAMETERS, MOST_PARAMETERS = 450_000_000, 8_400_000_000
# as people take them; those that need an importance matrix to be of use are rarer
_RARE = ("Q5_K_M", "Q6_K", "Q3_K_M", "Q2_K", "IQ4_XS", "F16", "IQ3_M")
_PRESETS = ("Q4_K_M",) * 6 + ("Q4_0",) * 3 + ("Q8_0",) * 3 + _RARE
_KV_TYPES = ("F16",) * 5 + ("Q8_0",) * 3 + ("Q4_0", "Q5_1", "BF16")
_UBATCHES = (64, 128, 256, 512, 512, 512, 1024)
_LEAST_CONTEXT, _MOST_CONTEXT = 512, 65536
LEAST_LIMIT_BYTES, MOST_LIMIT_BYTES = GIB, 8 * GIB


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """One deployment under one limit."""

    index: int
    card: str
    format: str
    options: Options
    limit_bytes: int


@cache
def cards() -> tuple[str, ...]:
    """The text models of 0.5B to 8B that have a card, by the names of their files."""
    names = CARDS.keys()
    return tuple(
        key for key in names if LEAST_PARAMETERS <= find_model(CARDS.get(key).name).parameters <= MOST_PARAMETERS
    )


@cache
def shape_of(card: str, preset: str) -> ModelShape | None:
    """The shape of a card in a preset; None where the engine cannot make it."""
    try:
        return find_model(CARDS.get(card).name, format=preset)
    except MemfitError:
        return None


def draw(seed: int, index: int) -> Drawn:
    """The deployment of this number; each is drawn by itself, so that any of them can be drawn again alone."""
    dice = random.Random(f"{seed} {index}")
    shape = None
    while shape is None:
        card, preset = dice.choice(cards()), dice.choice(_PRESETS)
        shape = shape_of(card, preset)
    limit = dice.randrange(LEAST_LIMIT_BYTES, MOST_LIMIT_BYTES + 1, MIB)
    return Drawn(index=index, card=card, format=preset, options=_options(dice, shape), limit_bytes=limit)


def _options(dice: random.Random, shape: ModelShape) -> Options:
    longest = min(_MOST_CONTEXT, shape.context_trained_tokens)
    context = int(_LEAST_CONTEXT * (longest / _LEAST_CONTEXT) ** dice.random())
    slots = dice.choice((1, 1, 1, 1, 2, 3, 4))
    flash = dice.random() < 0.85
    key_type = dice.choice(_KV_TYPES)
    value_type = key_type if flash else "F16"
    ubatch = dice.choice(_UBATCHES)
    return Options(
        context_tokens=max(context, slots * 64),
        slots=slots,
        unified_kv=slots > 1 and dice.random() < 0.5,
        batch_tokens=dice.choice((ubatch, 2048)),
        ubatch_tokens=ubatch,
        kv_type_k=_fitting(key_type, shape, "key_length"),
        kv_type_v=_fitting(value_type, shape, "value_length"),
        flash_attention=flash,
        load_mode=dice.choice(("mmap", "mmap", "none")),
        repack=dice.random() < 0.8,
        full_window_cache=dice.random() < 0.5,
        output_rows=dice.choice((0, slots, slots)),
    )


def _fitting(kind: str, shape: ModelShape, side: str) -> str:
    """The KV format, or F16 where the heads of a layer do not divide into its blocks: the engine refuses that."""
    block = FORMATS.get(kind).block_elements
    lengths = {getattr(layer, side) for layer in shape.layers if layer.attention != "none"}
    return "F16" if any(length % block for length in lengths) else kind
