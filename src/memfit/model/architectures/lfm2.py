"""LFM2: gated short convolutions with some attention layers between."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Tensors
from memfit.model.architectures._short_convolution_blocks import short_convolution_plan, short_convolution_tensors
from memfit.model.metadata import Metadata


def plan(meta: Metadata) -> Plan:
    """Layers, all with a dense feed-forward. The audio detokenizer slides a window over its attention."""
    return short_convolution_plan(meta, dense=meta.layer_count(), window=meta.integer("attention.sliding_window", 0))


def tensors(meta: Metadata) -> Tensors:
    """Every tensor."""
    return short_convolution_tensors(meta, dense=meta.layer_count())


ARCHITECTURE = Architecture(
    name="lfm2",
    summary="LFM2 and LFM2.5 dense, the text part of LFM2-VL",
    source="llama.cpp src/models/lfm2.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
