"""Nemotron-H with experts in place of its feed-forward layers: the same layers, read by the same code in the engine."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture
from memfit.model.architectures.nemotron_h import plan, tensors

ARCHITECTURE = Architecture(
    name="nemotron_h_moe",
    summary="Nemotron 3 Nano 30B-A3B and Super",
    source="llama.cpp src/models/nemotron-h.cpp, src/models/models.h @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
