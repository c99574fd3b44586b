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
# where the engine sets the window whatever the header says, contexts are so long that it still is shorter than they:
# by this factor, for a window of 8192 tokens in each of up to four sequences. A window cache of full size turns it
LONG_CONTEXT = 16
# the engine makes an entry for every word before it builds a graph: with few it answers twice as fast
FEW_WORDS = 1021

Turned = Mapping[str, int]


@dataclass(frozen=True)
class Variant:
    """A structure of the graph: how attention is computed, what the cache holds, who shares it; of one token alone."""

    flash: bool
    kv_type_k: str
    kv_type_v: str
    slots: str
    rollback: bool = False
    token: bool = False


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
    """The card with head lengths that it leaves to their defaults written out, and with heads that can be turned."""
    metadata = dict(card.metadata)
    heads = metadata.get("attention.head_count")
    if isinstance(heads, int) and heads:
        width = int(str(metadata["embedding_length"]))
        length = int(str(metadata.get("attention.key_length", width // heads)))
        metadata.setdefault("attention.key_length", length)
        metadata.setdefault("attention.value_length", length)
        if heads % 4:
            # 71 heads share a key no other way than all or none: four times as many leave room to turn
            kv_heads = metadata.get("attention.head_count_kv", heads)
            if width == heads * length:
                metadata["embedding_length"] = 4 * width
            metadata["attention.head_count"] = 4 * heads
            if isinstance(kv_heads, int):
                metadata["attention.head_count_kv"] = 2 * kv_heads
    if metadata.get("rope.dimension_count") == metadata.get("attention.key_length"):
        metadata.pop("rope.dimension_count", None)
    return replace(card, metadata=metadata)


def with_few_words(card: Card) -> Card:
    """The card with a small vocabulary: what the graph makes of its size is the same, and told by turning it."""
    return replace(card, metadata={**card.metadata, "vocab_size": FEW_WORDS}) if "vocab_size" in card.metadata else card


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
    """Every structure that the options can give the graph of this card, for more than one token."""
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

    The first of them shows the most. Some architectures refuse counts that are too small for what their graphs need.
    """
    full = roles_of(card)
    usable: dict[int, list[str]] = {}
    for count in range(2, len(full) + 1):
        try:
            usable[count] = roles_of(shrink(card, count))
        except MemfitError:  # some architectures need a number of layers
            continue
    inner = set(full[:-1])
    counts: list[int] = []
    seen = set(known)
    if inner - seen:
        counts.append(next(count for count, roles in usable.items() if inner <= set(roles[:-1])))
        seen.update(usable[counts[0]])
    least = counts[0] if counts else 0
    for count in sorted(usable, key=lambda count: (count < least, count)):
        if not seen.issuperset(usable[count]):
            seen.update(usable[count])
            counts.append(count)
    return counts


def other_counts(card: Card, count: int) -> list[int]:
    """Other layer counts with the same roles, to see what grows with the layers."""
    roles = set(roles_of(shrink(card, count)))
    most = int(str(card.metadata["block_count"]))
    found: list[int] = []
    for other in sorted(set(range(2, most + 1)) - {count}, key=lambda other: (other < count, abs(other - count))):
        try:
            if set(roles_of(shrink(card, other))) == roles:
                found.append(other)
        except MemfitError:
            continue
        if len(found) == 2:
            break
    return found


def followers(before: Mapping[str, Value], after: Mapping[str, Value]) -> dict[str, Value]:
    """Sizes that follow from others in a model: where they do ``before``, as they have to ``after`` others changed."""
    key, value = "attention.key_length", "attention.value_length"
    if value in before and before[value] == before.get(key):
        return {value: after[key]}
    rank, rotated = "attention.kv_lora_rank", "rope.dimension_count"
    if rank in before and before.get(key) == _sum(before, rank, rotated) and before.get(value) == before[rank]:
        return {value: after[rank], key: _sum(after, rank, rotated)}
    return {}


def _sum(metadata: Mapping[str, Value], *keys: str) -> int:
    return sum(int(str(metadata.get(key, 0))) for key in keys)


def knobs_of(card: Card) -> list[str]:
    """The metadata keys that sizes may depend on."""
    found = []
    follow = followers(card.metadata, card.metadata)
    for key, value in card.metadata.items():
        if key in FIXED or key in follow or key.startswith(("general.", "tokenizer.")):
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
    metadata.update(followers(card.metadata, metadata))
    sequences = 1 if variant.slots == "one" else SEQUENCES[turned.get("S", 0)]
    tokens = 1 if variant.token else SEQUENCE_TOKENS[turned.get("T", 0)] * sequences
    unified = variant.slots == "unified"
    window = (WINDOW_CELLS[turned.get("W", 0)] - tokens) // (sequences if unified else 1)
    for key in WINDOW_KEYS:
        if metadata.get(key):
            metadata[key] = window
    constant = _has_constant_window(card)
    cells = STREAM_CELLS[turned.get("C", 0)] * (LONG_CONTEXT if constant else 1)
    options = Options(
        context_tokens=cells if unified else cells * sequences,
        slots=sequences,
        unified_kv=unified,
        batch_tokens=tokens,
        ubatch_tokens=tokens,
        kv_type_k=variant.kv_type_k,
        kv_type_v=variant.kv_type_v,
        flash_attention=variant.flash,
        full_window_cache=constant and "W" in turned,
        output_rows=1 if variant.token else OUTPUT_ROWS[turned.get("O", 0)],
        rollback_tokens=ROLLBACK[turned.get("R", 0)] if variant.rollback else 0,
    )
    return replace(card, metadata=metadata), options


def _has_constant_window(card: Card) -> bool:
    """Whether it has a window that its header does not state."""
    return not any(card.metadata.get(key) for key in WINDOW_KEYS) and bool(describe(card).window_tokens)


def is_turned(card: Card, knob: str, factor: Fraction) -> bool:
    """Whether the factor makes another whole number of every key of the knob."""
    return all(_scaled(card.metadata[key], factor) != card.metadata[key] for key in knob.split("&"))


def _scaled(value: Value, factor: Fraction) -> Value:
    if isinstance(value, (int, float)):
        return int(value * factor)
    return [int(item * factor) for item in value if isinstance(item, (int, float))]
