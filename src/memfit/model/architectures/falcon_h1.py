"""Falcon-H1: attention and a Mamba 2 mixer side by side in every layer."""

from __future__ import annotations

import msgspec

from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Tensors, ends
from memfit.model.architectures._state_blocks import mamba2, read_state_space, state_blocks
from memfit.model.metadata import Metadata


def plan(meta: Metadata) -> Plan:
    """Layers, each with a KV cache and a state.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    space = read_state_space(meta)
    layers = tuple(
        msgspec.structs.replace(
            block.layer(), convolution_elements=space.convolution_elements, state_elements=space.state_elements
        )
        for block in state_blocks(meta)
    )
    return Plan(layers=layers, memory="hybrid")


def tensors(meta: Metadata) -> Tensors:
    """Every tensor; only some sizes norm the mixer's groups (``ssm_norm``).

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    space, group_norm = read_state_space(meta), meta.carries("ssm_norm")
    yield from ends(meta)
    for block in state_blocks(meta):
        yield from block.norm("attn_norm")
        yield from mamba2(block, space, group_norm=group_norm)
        yield from block.attention()
        # the engine asks for this one norm without ".weight"
        yield f"blk.{block.index}.ffn_norm", (block.width,)
        yield from block.gated_feed_forward()


ARCHITECTURE = Architecture(
    name="falcon-h1",
    summary="Falcon-H1, Falcon-H1R, Falcon-H1-Tiny",
    source="llama.cpp src/models/falcon-h1.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
