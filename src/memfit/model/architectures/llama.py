"""Llama and everything converted to its graph: Mistral, Mixtral, TinyLlama, SmolLM2, distilled Llamas."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture
from memfit.model.architectures._graphs import llama_plan, llama_tensors

ARCHITECTURE = Architecture(
    name="llama",
    summary="Llama 1 to 3.3, Mistral, Mixtral, TinyLlama, SmolLM2",
    source="llama.cpp src/models/llama.cpp @ 0c1e57098",
    plan=llama_plan,
    tensors=llama_tensors,
)
