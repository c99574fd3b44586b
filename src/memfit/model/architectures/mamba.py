"""Mamba: nothing but state-space layers, and so no KV cache."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Tensors, ends
from memfit.model.architectures._state_blocks import mamba1, read_state_space, state_blocks, state_layer
from memfit.model.metadata import Metadata


def plan(meta: Metadata) -> Plan:
    """Layers, all with a state.

    Raises:
        Malformed: a size is missing or out of bounds.
    """
    space = read_state_space(meta, grouped=False)
    return Plan(layers=tuple(state_layer(block, space) for block in state_blocks(meta)), memory="recurrent")


def tensors(meta: Metadata) -> Tensors:
    """Every tensor.

    Raises:
        Malformed: a size is missing or out of bounds.
    """
    space = read_state_space(meta, grouped=False)
    yield from ends(meta)
    for block in state_blocks(meta):
        yield from block.norm("attn_norm")
        yield from mamba1(block, space)


ARCHITECTURE = Architecture(
    name="mamba",
    summary="Mamba, Falcon Mamba",
    source="llama.cpp src/models/mamba.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
