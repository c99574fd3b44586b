"""Mamba 2: nothing but state-space layers with heads and groups, and so no KV cache."""

from __future__ import annotations

from memfit.model.architectures import _state_blocks as mixers
from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Tensors, ends
from memfit.model.metadata import Metadata


def plan(meta: Metadata) -> Plan:
    """Layers, all with a state.

    Raises:
        Malformed: a size is missing or out of bounds.
    """
    space = mixers.read_state_space(meta)
    layers = tuple(mixers.state_layer(block, space) for block in mixers.state_blocks(meta))
    return Plan(layers=layers, memory="recurrent")


def tensors(meta: Metadata) -> Tensors:
    """Every tensor.

    Raises:
        Malformed: a size is missing or out of bounds.
    """
    space = mixers.read_state_space(meta)
    yield from ends(meta)
    for block in mixers.state_blocks(meta):
        yield from block.norm("attn_norm")
        yield from mixers.mamba2(block, space)


ARCHITECTURE = Architecture(
    name="mamba2",
    summary="Mamba 2, Mamba-Codestral",
    source="llama.cpp src/models/mamba2.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
