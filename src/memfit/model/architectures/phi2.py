"""Phi-1.5 and Phi-2: attention and feed-forward in parallel behind one norm, biases everywhere."""

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
    """Biases on every matrix, the output's too.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    yield from ends(meta, norm_bias=True, output_bias=True)
    for block in trunk(meta):
        yield from block.norm("attn_norm", bias=True)
        yield from block.attention(bias=True, output_bias=True)
        yield from block.plain_feed_forward(bias=True)


ARCHITECTURE = Architecture(
    name="phi2",
    summary="Phi-1, Phi-1.5, Phi-2",
    source="llama.cpp src/models/phi2.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
