"""Mistral 3 and Ministral 3: the graph of Llama with an attention temperature."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture
from memfit.model.architectures._graphs import llama_plan, llama_tensors

ARCHITECTURE = Architecture(
    name="mistral3",
    summary="Ministral 3, Mistral Small 3",
    source="llama.cpp src/models/mistral3.cpp @ 0c1e57098",
    plan=llama_plan,
    tensors=llama_tensors,
)
