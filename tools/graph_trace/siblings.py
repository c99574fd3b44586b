"""Models that no card shows though their graphs differ from those of its architecture's cards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from memfit.model.cards import Card
from memfit.model.metadata import Value


@dataclass(frozen=True)
class Sibling:
    """What a card has to change to become the other model; ``None`` takes a key away."""

    words: str
    metadata: Mapping[str, Value | None] = field(default_factory=dict)
    tensors: tuple[str, ...] = ()


# by architecture; beside each the released model that is built so, where there is one
_SIBLINGS: dict[str, tuple[Sibling, ...]] = {
    # GLM-4.7-Flash, DeepSeek V3: compressed queries; the engine takes 26 or 27 layers for V2-Lite, which has none
    "deepseek2": (
        Sibling("compressed queries", {"attention.q_lora_rank": 768, "block_count": 40}),
        Sibling(
            "compressed queries and biased experts",
            {"attention.q_lora_rank": 768, "block_count": 40},
            ("exp_probs_b.bias",),
        ),
    ),
    # Falcon-40B
    "falcon": (Sibling("two norms", tensors=("attn_norm_2",)),),
    # Gemma-4-31B
    "gemma4": (
        Sibling("no experts", {"expert_count": None, "expert_used_count": None, "expert_feed_forward_length": None}),
    ),
    # Maverick: the engine knows it by its number of experts and leaves out a norm
    "llama4": (Sibling("dense layers between", {"expert_count": 128, "interleave_moe_layer_step": 2}),),
    # OLMo 3
    "olmo2": (Sibling("windows", {"attention.sliding_window": 4096}),),
    "qwen3next": (Sibling("a key head for every value head", {"ssm.time_step_rank": 16, "ssm.inner_size": 2048}),),
    # StableLM-2-12B
    "stablelm": (Sibling("norms on heads", tensors=("attn_q_norm",)),),
}


def siblings(card: Card) -> list[Card]:
    """Models like it whose graphs differ from its own, though no card shows them."""
    known = _SIBLINGS.get(card.architecture, ())
    if card.metadata.get("expert_used_count") == 1:
        known = (Sibling("2 experts a token", {"expert_used_count": 2}), *known)
    changed = (_changed(card, sibling) for sibling in known)
    return [other for other in changed if other != replace(card, name=other.name)]


def _changed(card: Card, sibling: Sibling) -> Card:
    metadata = {**card.metadata, **sibling.metadata}
    return replace(
        card,
        name=f"{card.name} with {sibling.words}",
        metadata={key: value for key, value in metadata.items() if value is not None},
        optional_tensors=(*card.optional_tensors, *sibling.tensors),
    )
