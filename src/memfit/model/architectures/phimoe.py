"""Phi-3.5-MoE: experts as wide as the feed-forward, biases on norms and attention."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Tensors, ends, expert_blocks, expert_trunk
from memfit.model.architectures._graphs import attention_plan, rope_tables
from memfit.model.metadata import Metadata


def plan(meta: Metadata) -> Plan:
    """Experts in every layer.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    return attention_plan(meta, (block.expert_layer(block.feed_forward) for block in expert_blocks(meta)))


def tensors(meta: Metadata) -> Tensors:
    """Biases on norms, attention and output.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    layers = expert_trunk(meta)
    yield from ends(meta, norm_bias=True, output_bias=True)
    yield from rope_tables(meta, layers[0].key_length)
    for block in layers:
        yield from block.norm("attn_norm", bias=True)
        yield from block.attention(bias=True, output_bias=True)
        yield from block.norm("ffn_norm", bias=True)
        yield from block.expert_feed_forward(block.feed_forward)


ARCHITECTURE = Architecture(
    name="phimoe",
    summary="Phi-3.5-MoE",
    source="llama.cpp src/models/phimoe.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
