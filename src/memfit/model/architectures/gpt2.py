"""GPT-2: learned positions, biases everywhere."""

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
    """A position embedding of the trained context.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    yield from ends(meta, norm_bias=True)
    yield "position_embd.weight", (meta.integer("embedding_length"), meta.integer("context_length", least=1))
    for block in trunk(meta):
        yield from block.norm("attn_norm", bias=True)
        yield from block.fused_attention(bias=True, output_bias=True)
        yield from block.norm("ffn_norm", bias=True)
        yield from block.plain_feed_forward(bias=True)


ARCHITECTURE = Architecture(
    name="gpt2",
    summary="GPT-2",
    source="llama.cpp src/models/gpt2.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
