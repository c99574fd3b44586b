"""Granite with experts."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Tensors
from memfit.model.architectures._graphs import llama_plan, llama_tensors
from memfit.model.metadata import Metadata


def plan(meta: Metadata) -> Plan:
    """Full attention; experts as wide as the feed-forward, with a shared one where the header gives its width.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    return llama_plan(meta, shared=meta.integer("expert_shared_feed_forward_length", 0))


def tensors(meta: Metadata) -> Tensors:
    """Llama's tensors, and the shared expert's where the header gives its width.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    return llama_tensors(meta, shared=meta.integer("expert_shared_feed_forward_length", 0))


ARCHITECTURE = Architecture(
    name="granitemoe",
    summary="Granite 3 MoE",
    source="llama.cpp src/models/granite-moe.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
