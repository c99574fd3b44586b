"""SmolLM3: the blocks of Llama, every fourth without a rotary embedding."""

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
    """Llama's dense blocks without optional tensors.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    yield from ends(meta)
    for block in trunk(meta):
        yield from block.norm("attn_norm")
        yield from block.attention()
        yield from block.norm("ffn_norm")
        yield from block.gated_feed_forward()


ARCHITECTURE = Architecture(
    name="smollm3",
    summary="SmolLM3",
    source="llama.cpp src/models/smollm3.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
