"""OLMo 2 and OLMo 3: norms behind each half and over all heads at once; OLMo 3 adds windows."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Tensors, blocks, ends, trunk, window_pattern
from memfit.model.architectures._graphs import attention_plan
from memfit.model.metadata import Metadata

PERIOD = 4


def _windowed(meta: Metadata) -> tuple[bool, ...] | None:
    return window_pattern(meta, PERIOD) if meta.integer("attention.sliding_window", 0) else None


def plan(meta: Metadata) -> Plan:
    """A window in all layers but every fourth where the header gives one, full attention otherwise.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    layers = (block.layer() for block in blocks(meta, _windowed(meta)))
    return attention_plan(meta, layers, window_tokens=meta.integer("attention.sliding_window", 0))


def tensors(meta: Metadata) -> Tensors:
    """No norm stands before a half of the block.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    yield from ends(meta)
    for block in trunk(meta, _windowed(meta)):
        yield from block.attention()
        yield from block.norm("attn_q_norm", block.heads * block.key_length)
        yield from block.norm("attn_k_norm", block.kv_heads * block.key_length)
        yield from block.norm("post_attention_norm")
        yield from block.gated_feed_forward()
        yield from block.norm("post_ffw_norm")


ARCHITECTURE = Architecture(
    name="olmo2",
    summary="OLMo 2, OLMo 3",
    source="llama.cpp src/models/olmo2.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
