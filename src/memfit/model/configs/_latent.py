"""What the readers of DeepSeek share: latent attention, with its queries compressed or not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from memfit.model.architectures import TensorSpec
from memfit.model.architectures.deepseek2 import LITE_LAYERS, LITE_VOCABULARY
from memfit.model.configs._section import Section
from memfit.model.configs._text import Sizes
from memfit.model.metadata import Value


@dataclass(frozen=True)
class Latent:
    """Sizes of latent attention. ``query_rank`` is None where queries are not compressed."""

    query_rank: int | None
    rank: int
    rotated: int
    plain: int
    value: int


def read_latent(config: Section) -> Latent:
    """The sizes, with the defaults of ``DeepseekV2Config`` and ``DeepseekV3Config``, which agree.

    Raises:
        Malformed: a field is of the wrong kind.
    """
    return Latent(
        query_rank=config.maybe("q_lora_rank", default=1536),
        rank=config.integer("kv_lora_rank", default=512),
        rotated=config.integer("qk_rope_head_dim", default=64),
        plain=config.integer("qk_nope_head_dim", default=128),
        value=config.integer("v_head_dim", default=128),
    )


def latent_metadata(sizes: Sizes, latent: Latent) -> dict[str, Value]:
    """GGUF's keys: one row of rank and rotated part is cached as the key of a single head."""
    return {
        **sizes.metadata(),
        "attention.head_count_kv": 1,
        "attention.kv_lora_rank": latent.rank,
        # required of models that llama.cpp takes to compress their queries; see latent_loadable for the others
        "attention.q_lora_rank": latent.query_rank or 1,
        "attention.key_length": latent.rank + latent.rotated,
        "attention.value_length": latent.rank,
        "attention.key_length_mla": latent.plain + latent.rotated,
        "attention.value_length_mla": latent.value,
        "rope.dimension_count": latent.rotated,
    }


def latent_loadable(sizes: Sizes, latent: Latent) -> bool:
    """Whether queries are compressed exactly where llama.cpp, which tells by the count of layers, thinks so."""
    lite = sizes.layers in LITE_LAYERS or (sizes.layers, sizes.vocabulary) == LITE_VOCABULARY
    return lite == (latent.query_rank is None)


def latent_adjust(sizes: Sizes, latent: Latent) -> Callable[[TensorSpec], Iterable[TensorSpec]]:
    """The checkpoint's matrices in place of those that a conversion makes of them, for ``text``'s ``adjust``.

    ``DeepseekV3Attention``, transformers 5.23.0 models/deepseek_v3/modeling_deepseek_v3.py: keys and values are
    decompressed by one matrix, which conversions split.
    """
    queries = sizes.heads * (latent.plain + latent.rotated)

    def adjust(tensor: TensorSpec) -> Iterable[TensorSpec]:
        name, _ = tensor
        block, _, short = name.rpartition("attn_")
        if short == "k_b.weight":
            outputs = sizes.heads * (latent.plain + latent.value)
            return ((f"{block}attn_kv_b.weight", (latent.rank, outputs)),)
        if short in ("v_b.weight", "q_a_norm.weight", "q_b.weight"):
            return ()
        if short not in ("q.weight", "q_a.weight"):
            return (tensor,)
        if latent.query_rank is None:
            return ((f"{block}attn_q.weight", (sizes.width, queries)),)
        return (
            (f"{block}attn_q_a.weight", (sizes.width, latent.query_rank)),
            (f"{block}attn_q_a_norm.weight", (latent.query_rank,)),
            (f"{block}attn_q_b.weight", (latent.query_rank, queries)),
        )

    return adjust
