"""Falcon 1: many query heads over one key/value head (7B) or a few (40B), no biases on matrices."""

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
    """The 40B has a second norm, for the feed-forward.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    yield from ends(meta, norm_bias=True)
    for block in trunk(meta):
        yield from block.norm("attn_norm", bias=True)
        if meta.carries("attn_norm_2"):
            yield from block.norm("attn_norm_2", bias=True)
        yield from block.fused_attention()
        yield from block.plain_feed_forward()


ARCHITECTURE = Architecture(
    name="falcon",
    summary="Falcon 7B and 40B",
    source="llama.cpp src/models/falcon.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
