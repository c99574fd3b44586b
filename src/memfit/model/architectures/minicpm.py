"""MiniCPM: the graph of Llama with scaled embeddings, residuals and logits."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture
from memfit.model.architectures._graphs import llama_plan, llama_tensors

ARCHITECTURE = Architecture(
    name="minicpm",
    summary="MiniCPM 1B and 2B",
    source="llama.cpp src/models/minicpm.cpp @ 0c1e57098",
    plan=llama_plan,
    tensors=llama_tensors,
)
