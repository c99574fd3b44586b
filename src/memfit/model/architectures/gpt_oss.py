"""gpt-oss: every other layer looks at a window, attention sinks, experts with biases."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Tensors, ends, expert_blocks, expert_trunk, window_pattern
from memfit.model.architectures._graphs import attention_plan
from memfit.model.metadata import Metadata

PERIOD = 2


def plan(meta: Metadata) -> Plan:
    """A window in all layers but every second, experts in all.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    layers = expert_blocks(meta, window_pattern(meta, PERIOD), stated=True)
    experts = (block.expert_layer(block.expert_length) for block in layers)
    return attention_plan(meta, experts, window_tokens=meta.integer("attention.sliding_window"))


def tensors(meta: Metadata) -> Tensors:
    """Biases everywhere but on norms and output.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    yield from ends(meta)
    for block in expert_trunk(meta, window_pattern(meta, PERIOD), stated=True):
        yield from block.norm("attn_norm")
        yield from block.attention(bias=True, output_bias=True)
        yield from block.weight("attn_sinks", block.heads)
        yield from block.norm("post_attention_norm")
        yield from block.expert_feed_forward(block.expert_length, bias=True)


ARCHITECTURE = Architecture(
    name="gpt-oss",
    summary="gpt-oss 20B and 120B",
    source="llama.cpp src/models/openai-moe.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
