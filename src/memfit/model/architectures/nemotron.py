"""Nemotron and Minitron: layer norms with biases, squared ReLU without a gate."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Tensors, blocks, ends, trunk
from memfit.model.architectures._graphs import attention_plan
from memfit.model.metadata import Metadata


def plan(meta: Metadata) -> Plan:
    """Full attention and a dense feed-forward in every layer.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    return attention_plan(meta, (block.layer() for block in blocks(meta)))


def tensors(meta: Metadata) -> Tensors:
    """Biases on norms; on matrices where the model carries them.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    yield from ends(meta, norm_bias=True)
    for block in trunk(meta):
        yield from block.norm("attn_norm", bias=True)
        yield from block.attention(bias=meta.carries("attn_q.bias"), output_bias=meta.carries("attn_output.bias"))
        yield from block.norm("ffn_norm", bias=True)
        yield from block.plain_feed_forward(bias=meta.carries("ffn_up.bias"))


ARCHITECTURE = Architecture(
    name="nemotron",
    summary="Nemotron-Mini, Minitron, Nemotron-4",
    source="llama.cpp src/models/nemotron.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
