"""Qwen3-Next: gated delta nets with one attention layer in four, and very many small experts."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture
from memfit.model.architectures._blocks import Tensors
from memfit.model.architectures._delta_net_blocks import delta_net_plan, delta_net_tensors
from memfit.model.metadata import Metadata


def tensors(meta: Metadata) -> Tensors:
    """Every tensor, as converters write them today (older files join query, key, value and gate in ``ssm_in``)."""
    return delta_net_tensors(meta, joined_beta_alpha=True)


ARCHITECTURE = Architecture(
    name="qwen3next",
    summary="Qwen3-Next and Qwen3-Coder-Next",
    source="llama.cpp src/models/qwen3next.cpp @ 0c1e57098",
    plan=delta_net_plan,
    tensors=tensors,
)
