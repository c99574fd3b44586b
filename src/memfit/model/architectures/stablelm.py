"""StableLM: layer norms with biases, and biases on query, key and value where the model carries them."""

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
    """The 12B has norms on each head and no feed-forward norm; the others the reverse.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    yield from ends(meta, norm_bias=True)
    for block in trunk(meta):
        yield from block.norm("attn_norm", bias=True)
        yield from block.attention(bias=meta.carries("attn_q.bias"))
        if meta.carries("attn_q_norm"):
            yield from block.weight("attn_q_norm", block.key_length, block.heads)
            yield from block.weight("attn_k_norm", block.key_length, block.kv_heads)
        else:
            yield from block.norm("ffn_norm", bias=True)
        yield from block.gated_feed_forward()


ARCHITECTURE = Architecture(
    name="stablelm",
    summary="StableLM 3B, StableLM 2",
    source="llama.cpp src/models/stablelm.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
