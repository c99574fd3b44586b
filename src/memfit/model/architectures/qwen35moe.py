"""Qwen3.5 with experts: gated delta nets with one attention layer in four."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture
from memfit.model.architectures._delta_net_blocks import delta_net_plan, delta_net_tensors

ARCHITECTURE = Architecture(
    name="qwen35moe",
    summary="Qwen3.5 and Qwen3.6, with experts",
    source="llama.cpp src/models/qwen35moe.cpp @ 0c1e57098",
    plan=delta_net_plan,
    tensors=delta_net_tensors,
)
