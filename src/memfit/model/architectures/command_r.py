"""Command R: attention and feed-forward in parallel behind one norm."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Tensors, blocks, ends, trunk
from memfit.model.architectures._graphs import attention_plan
from memfit.model.metadata import Metadata

HEAD_NORM_LAYERS = 64  # from this many layers on (Command R+) the engine asks for norms on each head


def plan(meta: Metadata) -> Plan:
    """Full attention and a dense feed-forward in every layer.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    return attention_plan(meta, (block.layer() for block in blocks(meta)))


def tensors(meta: Metadata) -> Tensors:
    """One norm a block; the engine loads no output matrix of its own.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    layers = trunk(meta)
    yield from ends(meta, output=False)
    for block in layers:
        yield from block.norm("attn_norm")
        if len(layers) >= HEAD_NORM_LAYERS:
            yield from block.weight("attn_q_norm", block.key_length, block.heads)
            yield from block.weight("attn_k_norm", block.key_length, block.kv_heads)
        yield from block.attention()
        yield from block.gated_feed_forward()


ARCHITECTURE = Architecture(
    name="command-r",
    summary="Command R, Command R+, Aya 23",
    source="llama.cpp src/models/command-r.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
