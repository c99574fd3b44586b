"""Gemma 4: windows with shorter heads, later layers read earlier caches, per-layer embeddings, or experts."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Block, Tensors, blocks, ends, expert_blocks, window_pattern
from memfit.model.architectures._graphs import attention_plan
from memfit.model.architectures._shared_caches import share_caches
from memfit.model.metadata import Metadata
from memfit.model.shape import Layer


def _blocks(meta: Metadata) -> tuple[Block, ...]:
    key = "attention.sliding_window_pattern"
    if not meta.is_array(key):
        raise meta.malformed(key, "is not an array, which this architecture needs")
    for side in ("key", "value"):
        meta.integer(f"attention.{side}_length_swa")  # required
    windowed = window_pattern(meta, period=0)
    return expert_blocks(meta, windowed, stated=True) if meta.integer("expert_count", 0) else blocks(meta, windowed)


def _own_caches(meta: Metadata) -> int:
    layers = meta.layer_count()
    return layers - meta.integer("attention.shared_kv_layers", 0, most=layers)


def _layer(block: Block) -> Layer:
    # the dense feed-forward stays beside the experts and serves every token
    return block.expert_layer(block.expert_length, shared=block.feed_forward) if block.experts else block.layer()


def plan(meta: Metadata) -> Plan:
    """Windows as the header lists them; the last ``shared_kv_layers`` layers read earlier caches.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    layers = [_layer(block) for block in _blocks(meta)]
    window = meta.integer("attention.sliding_window")
    return attention_plan(meta, share_caches(meta, layers, _own_caches(meta)), window_tokens=window)


def _attention(meta: Metadata, block: Block, *, shares: bool) -> Tensors:
    # the engine never needs the keys and values of a layer that reads another's cache: the first releases carry them
    # all the same, later ones do not; and large models use a full-attention layer's keys as its values
    keys = not shares or meta.carries("attn_k")
    values = keys and (block.windowed or meta.carries("attn_v"))
    absent = {part for part, there in (("attn_k", keys), ("attn_v", values)) if not there}
    yield from (tensor for tensor in block.attention() if tensor[0].split(".")[2] not in absent)
    yield from block.norm("attn_q_norm", block.key_length)
    if keys:
        yield from block.norm("attn_k_norm", block.key_length)


def _experts(block: Block) -> Tensors:
    length = block.expert_length
    yield from block.weight("ffn_gate_inp", block.width, block.experts)
    yield f"blk.{block.index}.ffn_gate_inp.scale", (block.width,)
    yield from block.norm("pre_ffw_norm_2")
    yield from block.norm("post_ffw_norm_1")
    yield from block.norm("post_ffw_norm_2")
    yield from block.weight("ffn_gate_up_exps", block.width, 2 * length, block.experts)
    yield from block.weight("ffn_down_exps", length, block.width, block.experts)
    yield f"blk.{block.index}.ffn_down_exps.scale", (block.experts,)


def _per_layer_embeddings(block: Block, width: int) -> Tensors:
    yield from block.weight("inp_gate", block.width, width)
    yield from block.weight("proj", width, block.width)
    yield from block.norm("post_norm")


def tensors(meta: Metadata) -> Tensors:
    """Per-layer embeddings where the header gives their width, experts where it gives their count.

    Carried or not: ``attn_k``, keys and values of layers that read another's cache; ``attn_v``, values of layers with
    full attention.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    layers = [block for block in _blocks(meta) if not block.next_token]
    own = _own_caches(meta)
    per_layer = meta.integer("embedding_length_per_layer_input")
    yield from ends(meta)
    if per_layer:
        yield "per_layer_token_embd.weight", (per_layer * len(layers), meta.vocabulary_tokens())
        yield "per_layer_model_proj.weight", (layers[0].width, per_layer * len(layers))
        yield "per_layer_proj_norm.weight", (per_layer,)
    if any(not block.windowed for block in layers):
        yield "rope_freqs.weight", (meta.integer("attention.key_length") // 2,)
    for block in layers:
        yield from block.norm("attn_norm")
        yield from _attention(meta, block, shares=block.index >= own)
        yield from block.norm("post_attention_norm")
        yield from block.weight("layer_output_scale", 1)
        yield from block.norm("ffn_norm")
        yield from block.gated_feed_forward()
        yield from block.norm("post_ffw_norm")
        if block.experts:
            yield from _experts(block)
        if per_layer:
            yield from _per_layer_embeddings(block, per_layer)


ARCHITECTURE = Architecture(
    name="gemma4",
    summary="Gemma 4 E2B, E4B, 26B-A4B, 31B",
    source="llama.cpp src/models/gemma4.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
    copies_tied_embedding=True,
)
