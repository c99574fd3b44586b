"""Gemma 2: every other layer looks at a window, norms before and after each half."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Tensors, blocks, ends, trunk, window_pattern
from memfit.model.architectures._graphs import attention_plan
from memfit.model.metadata import Metadata

WINDOW_TOKENS = 4096  # the default of load_arch_hparams
PERIOD = 2


def plan(meta: Metadata) -> Plan:
    """A window in all layers but every second.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    window = meta.integer("attention.sliding_window", WINDOW_TOKENS)
    layers = (block.layer() for block in blocks(meta, window_pattern(meta, PERIOD)))
    return attention_plan(meta, layers, window_tokens=window)


def tensors(meta: Metadata) -> Tensors:
    """The engine loads no output matrix of its own.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    yield from ends(meta, output=False)
    for block in trunk(meta, window_pattern(meta, PERIOD)):
        yield from block.norm("attn_norm")
        yield from block.attention()
        yield from block.norm("post_attention_norm")
        yield from block.norm("ffn_norm")
        yield from block.gated_feed_forward()
        yield from block.norm("post_ffw_norm")


ARCHITECTURE = Architecture(
    name="gemma2",
    summary="Gemma 2",
    source="llama.cpp src/models/gemma2.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
