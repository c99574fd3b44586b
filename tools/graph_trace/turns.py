"""A card's sizes and a context's options as knobs that are turned one at a time or together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from graph_trace.probe import describe
from memfit.engine._llama_cpp.settings import ROLLS_BACK
from memfit.engine._llama_cpp.symbols import layer_roles
from memfit.engine.records import Options
from memfit.errors import MemfitError
from memfit.model.cards import Card
from memfit.model.metadata import Value

# where each knob stands at first, and where it is turned to: the second place is for checking
SEQUENCE_TOKENS = (96, 64, 80)
SEQUENCES = (2, 3, 4)
OUTPUT_ROWS = (40, 24, 56)
STREAM_CELLS = (2560, 5120, 3840)
WINDOW_CELLS = (1024, 1536, 1280)
ROLLBACK = (2, 3, 4)
FACTORS = tuple(Fraction(text) for text in ("2", "3", "1/2", "4", "3/2", "1/4", "5"))
# factors of their own for sizes that often coincide with products of others (heads times head length)
SECOND_FACTORS = {
    "embedding_length": (Fraction(5),),
    "feed_forward_length": (Fraction(7),),
    "expert_feed_forward_length": (Fraction(11),),
    "expert_shared_feed_forward_length": (Fraction(13),),
    "vocab_size": (Fraction(17),),
}
OPTION_KNOBS = ("T", "O", "C", "W", "S", "R", "N")
# metadata that sizes do not depend on, or that says how many layers there are
FIXED = frozenset(
    {"block_count", "context_length", "nextn_predict_layers", "expert_gating_func", "expert_group_count"}
    | {"expert_group_used_count", "leading_dense_block_count", "attention.sliding_window", "attention.chunk_size"}
    | {"full_attention_interval", "interleave_moe_layer_step", "attention.sliding_window_pattern", "pooling_type"}
    | {"rope.scaling.original_context_length", "attention.shared_kv_layers", "expert_weights_norm"}
)
WINDOW_KEYS = ("attention.sliding_window", "attention.chunk_size", "attention.chunk_length")

Turned = Mapping[str, int]


@dataclass(frozen=True)
class Variant:
    """A structure of the graph: how attention is computed, what the cache holds, who shares it."""

    flash: bool
    kv_type_k: str
    kv_type_v: str
    slots: str
    rollback: bool = False


def shrink(card: Card, layers: int) -> Card:
    """The card with its first ``layers`` layers only."""
    full = int(str(card.metadata["block_count"]))
    metadata: dict[str, Value] = {}
    for key, value in card.metadata.items():
        if key == "nextn_predict_layers":
            continue
        listed = not isinstance(value, (str, int, float)) and len(value) == full
        metadata[key] = list(value)[:layers] if listed else value  # type: ignore[arg-type]
    metadata["block_count"] = layers
    return replace(card, metadata=metadata)


def explicit(card: Card) -> Card:
    """The card with the head lengths that it leaves to their defaults written out, so that they can be turned."""
    metadata = dict(card.metadata)
    heads = metadata.get("attention.head_count")
    if isinstance(heads, int) and heads and "attention.key_length" not in metadata:
        length = int(str(metadata["embedding_length"])) // heads
        metadata["attention.key_length"] = metadata["attention.value_length"] = length
    if metadata.get("rope.dimension_count") == metadata.get("attention.key_length"):
        metadata.pop("rope.dimension_count", None)
    return replace(card, metadata=metadata)


def rotatable(card: Card) -> Iterator[Card]:
    """Cards like this one whose head length is a multiple of 64, so that a quantized cache is rotated."""
    length = card.metadata.get("attention.key_length", 64)
    if not isinstance(length, int) or length % 64 == 0:
        yield card
        return
    factor = next(factor for factor in (2, 4, 8, 16, 32, 64) if length * factor % 64 == 0)
    lengths = ("attention.key_length", "attention.value_length")
    for keys in (lengths, (*lengths, "embedding_length"), (*lengths, "rope.dimension_count")):
        scaled = {key: int(str(card.metadata[key])) * factor for key in keys if key in card.metadata}
        yield replace(card, metadata={**card.metadata, **scaled})


def variants(card: Card) -> list[Variant]:
    """Every structure that the options can give the graph of this card."""
    shape = describe(card)
    slots = ("streams", "unified", "one")
    attends = any(layer.cache_of is not None for layer in shape.trunk)
    # an encoder attends without a cache, so its formats do not matter; a recurrent model does not attend
    caches = _CACHES if attends else _CACHES[: 1 if shape.memory == "recurrent" else 2]
    if any(layer.latent_kv for layer in shape.trunk):
        caches = (*caches, (False, "F32", "F32"))
    rollback = (False, True) if shape.architecture in ROLLS_BACK else (False,)
    return [
        Variant(flash, key, value, shared, back)
        for back in rollback
        for flash, key, value in caches
        for shared in slots
    ]


_CACHES = (
    (True, "F16", "F16"),
    (False, "F16", "F16"),
    (True, "Q8_0", "Q8_0"),
    (True, "F32", "F32"),
    (True, "Q8_0", "F16"),
    (True, "F16", "Q8_0"),
    (True, "F32", "F16"),
    (True, "F16", "F32"),
    (True, "F32", "Q8_0"),
    (True, "Q8_0", "F32"),
    (False, "Q8_0", "F16"),
)


def roles_of(card: Card) -> list[str]:
    """The roles of its layers."""
    return layer_roles(describe(card))


def arrangements(card: Card, known: Collection[str] = ()) -> list[int]:
    """Layer counts to trace so that every role of the card is seen that is not ``known``, and each kind as last layer.

    Counts below the one that shows every role are left out: some architectures need their first layers.
    """
    full = roles_of(card)
    usable: dict[int, list[str]] = {}
    for count in range(2, len(full) + 1):
        try:
            usable[count] = roles_of(shrink(card, count))
        except MemfitError:  # some architectures need a number of layers
            continue
    inner = set(full[:-1]) - set(known)
    counts: list[int] = []
    seen = set(known)
    if inner:
        counts.append(next(count for count, roles in usable.items() if inner <= set(roles[:-1])))
        seen.add(usable[counts[0]][-1])
    wanted = {roles[-1] for count, roles in usable.items() if counts and count > counts[0]} | {full[-1]}
    for count, roles in usable.items():
        if roles[-1] in wanted - seen and (not counts or count > counts[0]):
            seen.add(roles[-1])
            counts.append(count)
    return counts


def other_counts(card: Card, count: int) -> list[int]:
    """Other layer counts with the same roles, to see what grows with the layers."""
    roles = set(roles_of(shrink(card, count)))
    found = []
    for other in range(2, len(roles_of(card)) + 1):
        try:
            if other != count and set(roles_of(shrink(card, other))) == roles:
                found.append(other)
        except MemfitError:
            continue
    return sorted(found, key=lambda other: (other < count, abs(other - count)))[:2]


def knobs_of(card: Card) -> list[str]:
    """The metadata keys that sizes may depend on."""
    found = []
    for key, value in card.metadata.items():
        if key in FIXED or key.startswith(("general.", "tokenizer.")):
            continue
        whole = value if isinstance(value, (int, str, float)) else value[0]
        if isinstance(whole, int) and not isinstance(whole, bool):
            found.append(key)
    return found


def turn(
    card: Card, variant: Variant, turned: Turned, factors: Mapping[str, Sequence[Fraction]]
) -> tuple[Card, Options]:
    """The card and options with each knob of ``turned`` at the place it names: 1, or 2 for checking."""
    metadata = dict(card.metadata)
    for knob, place in turned.items():
        if knob not in OPTION_KNOBS:
            for key in knob.split("&"):
                metadata[key] = _scaled(metadata[key], factors[knob][place - 1])
    sequences = 1 if variant.slots == "one" else SEQUENCES[turned.get("S", 0)]
    tokens = SEQUENCE_TOKENS[turned.get("T", 0)] * sequences
    unified = variant.slots == "unified"
    window = (WINDOW_CELLS[turned.get("W", 0)] - tokens) // (sequences if unified else 1)
    for key in WINDOW_KEYS:
        if metadata.get(key):
            metadata[key] = window
    cells = STREAM_CELLS[turned.get("C", 0)]
    options = Options(
        context_tokens=cells if unified else cells * sequences,
        slots=sequences,
        unified_kv=unified,
        batch_tokens=tokens,
        ubatch_tokens=tokens,
        kv_type_k=variant.kv_type_k,
        kv_type_v=variant.kv_type_v,
        flash_attention=variant.flash,
        full_window_cache=False,
        output_rows=OUTPUT_ROWS[turned.get("O", 0)],
        rollback_tokens=ROLLBACK[turned.get("R", 0)] if variant.rollback else 0,
    )
    return replace(card, metadata=metadata), options


def is_turned(card: Card, knob: str, factor: Fraction) -> bool:
    """Whether the factor makes another whole number of every key of the knob."""
    return all(_scaled(card.metadata[key], factor) != card.metadata[key] for key in knob.split("&"))


def _scaled(value: Value, factor: Fraction) -> Value:
    if isinstance(value, (int, float)):
        return int(value * factor)
    return [int(item * factor) for item in value if isinstance(item, (int, float))]
