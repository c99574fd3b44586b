"""DeepSeek V2 and V3: latent attention caches one compressed row, experts beside shared ones."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Block, Tensors, blocks, ends, expert_blocks
from memfit.model.architectures._graphs import attention_plan
from memfit.model.metadata import Metadata
from memfit.model.shape import Layer

LITE_LAYERS = (26, 27)  # load_arch_hparams takes these for V2-Lite and its like, which compress no queries
LITE_VOCABULARY = (48, 128256)  # and this count of layers with this vocabulary


@dataclass(frozen=True)
class Latent:
    """Sizes of latent attention: heads as they are after decompression, ranks of what is compressed."""

    compressed: bool
    key_length: int
    value_length: int
    rotated: int
    query_rank: int
    rank: int


def _latent(meta: Metadata, block: Block, layers: int) -> Latent:
    key, value = (meta.integer(f"attention.{side}_length_mla", 0) for side in ("key", "value"))
    if bool(key) != bool(value):
        raise meta.malformed("attention.key_length_mla", "and attention.value_length_mla must come together")
    # files from before 2025 lack both and cache decompressed heads
    key_length, value_length = key or block.key_length, value or block.value_length
    rotated = meta.integer("rope.dimension_count", block.key_length)
    if key_length <= rotated:
        raise meta.malformed("rope.dimension_count", f"is {rotated}, no less than a key of {key_length} numbers")
    lite = layers in LITE_LAYERS or (layers == LITE_VOCABULARY[0] and meta.vocabulary_tokens() == LITE_VOCABULARY[1])
    return Latent(
        compressed=bool(key),
        key_length=key_length,
        value_length=value_length,
        rotated=rotated,
        query_rank=0 if lite else meta.integer("attention.q_lora_rank"),
        rank=meta.integer("attention.kv_lora_rank", least=1),
    )


def _is_dense(meta: Metadata, block: Block) -> bool:
    return block.index < meta.integer("leading_dense_block_count", 0)


def _shared_length(meta: Metadata, block: Block) -> int:
    return block.expert_length * meta.integer("expert_shared_count")


def _checked(meta: Metadata) -> tuple[Block, ...]:
    all_dense = meta.integer("leading_dense_block_count", 0) >= meta.layer_count()
    return blocks(meta) if all_dense else expert_blocks(meta, stated=True)


def _layer(meta: Metadata, block: Block, latent: Latent) -> Layer:
    dense = _is_dense(meta, block)
    layer = block.layer() if dense else block.expert_layer(block.expert_length, shared=_shared_length(meta, block))
    return msgspec.structs.replace(layer, latent_kv=latent.compressed)


def plan(meta: Metadata) -> Plan:
    """Latent attention in every layer; dense feed-forwards first, then experts.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    layers = _checked(meta)
    latent = _latent(meta, layers[0], sum(not block.next_token for block in layers))
    return attention_plan(meta, (_layer(meta, block, latent) for block in layers), even_heads=False)


def _attention(block: Block, latent: Latent) -> Tensors:
    queries = block.heads * latent.key_length
    plain = latent.key_length - latent.rotated
    if latent.query_rank:
        yield from block.norm("attn_q_a_norm", latent.query_rank)
        yield from block.weight("attn_q_a", block.width, latent.query_rank)
        yield from block.weight("attn_q_b", latent.query_rank, queries)
    else:
        yield from block.weight("attn_q", block.width, queries)
    yield from block.norm("attn_kv_a_norm", latent.rank)
    yield from block.weight("attn_kv_a_mqa", block.width, latent.rank + latent.rotated)
    if latent.compressed:
        yield from block.weight("attn_k_b", plain, latent.rank, block.heads)
        yield from block.weight("attn_v_b", latent.rank, latent.value_length, block.heads)
    else:
        yield from block.weight("attn_kv_b", latent.rank, block.heads * (plain + latent.value_length))
    yield from block.weight("attn_output", block.heads * latent.value_length, block.width)


def _next_token_head(meta: Metadata, block: Block) -> Tensors:
    yield from block.weight("nextn.eh_proj", 2 * block.width, block.width)
    yield from block.norm("nextn.enorm")
    yield from block.norm("nextn.hnorm")
    for name in ("nextn.embed_tokens", "nextn.shared_head_head"):
        if meta.carries(name):
            yield from block.weight(name, block.width, meta.vocabulary_tokens())
    if meta.carries("nextn.shared_head_norm"):
        yield from block.norm("nextn.shared_head_norm")


def tensors(meta: Metadata) -> Tensors:
    """Next-token-prediction layers too, which the engine skips unless asked for them.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    layers = _checked(meta)
    latent = _latent(meta, layers[0], sum(not block.next_token for block in layers))
    yield from ends(meta)
    for block in layers:
        yield from block.norm("attn_norm")
        yield from _attention(block, latent)
        yield from block.norm("ffn_norm")
        if _is_dense(meta, block):
            yield from block.gated_feed_forward()
        else:
            yield from block.expert_feed_forward(block.expert_length)
            if meta.carries("exp_probs_b.bias"):
                yield f"blk.{block.index}.exp_probs_b.bias", (block.experts,)
            yield from block.shared_expert(_shared_length(meta, block))
        if block.next_token:
            yield from _next_token_head(meta, block)


ARCHITECTURE = Architecture(
    name="deepseek2",
    summary="DeepSeek V2, V2-Lite, V3, R1, GLM-4.7-Flash, Kimi K2",
    source="llama.cpp src/models/deepseek2.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
