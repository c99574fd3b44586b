"""The record of an architecture: how its metadata becomes layers, and which tensors it has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from memfit.model.metadata import Metadata
from memfit.model.shape import Layer, Memory

Dims = tuple[int, ...]
TensorSpec = tuple[str, Dims]


@dataclass(frozen=True)
class Plan:
    """What the metadata of one model says about its layers.

    Attributes:
        layers: all layers, next-token-prediction heads last.
        memory: which cache the engine creates for it.
        window_tokens: the sliding window or chunk, 0 without.
        causal: False for encoders.
    """

    layers: tuple[Layer, ...]
    memory: Memory = "attention"
    window_tokens: int = 0
    causal: bool = True


@dataclass(frozen=True)
class Architecture:
    """One architecture.

    Attributes:
        name: the value of ``general.architecture`` in a GGUF file.
        summary: the models built on it, in one line.
        source: the engine's file that this one follows.
        plan: metadata to layers.
        tensors: metadata to every tensor's name and dims (ggml order, row first). A tensor that only some models of
            the architecture have is listed where ``Metadata.carries`` says so; ``output.weight`` is listed wherever
            the architecture can have one, and whoever knows that a model ties it to the embedding drops it.
        aliases: other names that mean the same graph.
        copies_tied_embedding: the engine asks for the output matrix before the embedding that it is tied to, finds
            nothing to share yet, and so holds the embedding twice, on the CPU too, unless both map the same file
            (``create_tensor`` in llama.cpp src/llama-model-loader.cpp @ 0c1e57098).
    """

    name: str
    summary: str
    source: str
    plan: Callable[[Metadata], Plan]
    tensors: Callable[[Metadata], Iterable[TensorSpec]]
    aliases: tuple[str, ...] = ()
    copies_tied_embedding: bool = False
