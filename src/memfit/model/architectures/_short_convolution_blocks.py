"""What LFM2 and its mixture of experts share: short convolutions with some attention layers between.

Follows llama.cpp src/models/{lfm2,lfm2moe}.cpp at 0c1e57098.
"""

from __future__ import annotations

import msgspec

from memfit.model.architectures._architecture import Plan
from memfit.model.architectures._blocks import Block, Tensors, ends
from memfit.model.architectures._state_blocks import state_blocks, with_experts
from memfit.model.metadata import Metadata
from memfit.model.shape import Layer


def short_convolution_plan(meta: Metadata, *, dense: int, window: int = 0) -> Plan:
    """Layers, of which the first ``dense`` have a dense feed-forward; ``window`` slides over the attention layers.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    taps = meta.integer("shortconv.l_cache", least=1)
    blocks = state_blocks(meta)
    layers = []
    for block in blocks:
        layer = _layer(block, taps, windowed=window > 0)
        layers.append(layer if block.index < dense else with_experts(layer, block, blocks[0].expert_length))
    return Plan(
        layers=tuple(layers),
        memory="hybrid",
        window_tokens=window,
        causal=meta.flag("attention.causal", True),
    )


def _layer(block: Block, taps: int, *, windowed: bool) -> Layer:
    if block.kv_heads:
        return msgspec.structs.replace(block.layer(), attention="sliding" if windowed else "full")
    # n_embd_r of LFM2 keeps the last inputs of the convolution; n_embd_s is 0, there is no recurrent state
    return Layer(
        attention="none",
        convolution_elements=block.width * (taps - 1),
        feed_forward_length=block.feed_forward,
        next_token=block.next_token,
    )


def short_convolution_tensors(meta: Metadata, *, dense: int) -> Tensors:
    """Every tensor.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    taps = meta.integer("shortconv.l_cache", least=1)
    blocks = state_blocks(meta)
    for name, dims in ends(meta):
        # the last norm bears the name of the embedding's, an old slip that files keep
        yield "token_embd_norm.weight" if name == "output_norm.weight" else name, dims
    for block in blocks:
        yield from block.norm("attn_norm")
        if block.kv_heads:
            yield from block.attention()
            yield from block.head_norms()
        else:
            yield from block.weight("shortconv.conv", taps, block.width)
            yield from block.weight("shortconv.in_proj", block.width, 3 * block.width)
            yield from block.weight("shortconv.out_proj", block.width, block.width)
        yield from block.norm("ffn_norm")
        if block.index < dense:
            yield from block.gated_feed_forward()
        else:
            yield from block.expert_feed_forward(blocks[0].expert_length)
            yield f"blk.{block.index}.exp_probs_b.bias", (block.experts,)
    if meta.has("embedding_length_out"):
        yield "dense_2.weight", (blocks[0].width, meta.integer("embedding_length_out"))
