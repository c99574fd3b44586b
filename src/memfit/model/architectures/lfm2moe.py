"""LFM2 with experts behind its first layers."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Tensors
from memfit.model.architectures._short_convolution_blocks import short_convolution_plan, short_convolution_tensors
from memfit.model.metadata import Metadata


def plan(meta: Metadata) -> Plan:
    """Layers: the leading dense ones, then experts."""
    return short_convolution_plan(meta, dense=meta.integer("leading_dense_block_count", 0))


def tensors(meta: Metadata) -> Tensors:
    """Every tensor."""
    return short_convolution_tensors(meta, dense=meta.integer("leading_dense_block_count", 0))


ARCHITECTURE = Architecture(
    name="lfm2moe",
    summary="LFM2-8B-A1B, LFM2-24B-A2B",
    source="llama.cpp src/models/lfm2moe.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
