"""The records of a checkpoint: what a folder of Hugging Face holds, by its config alone."""

from __future__ import annotations

from typing import Literal

import msgspec

from memfit.model.cards import Card
from memfit.model.shape import Layer, Memory, Tower

# what decides how a quantizer stores a tensor: most quantize "linear" and keep the others in 16 bits
Part = Literal["linear", "embedding", "output", "norm", "router", "convolution", "other"]


class CheckpointTensor(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One tensor of a checkpoint. ``dims`` in ggml's order, the row first.

    Attributes:
        name: llama.cpp's name of it, which is not the one in the safetensors files.
        parameter: False for what is stored but not trained, and so is in no parameter count (a buffer).
    """

    name: str
    dims: tuple[int, ...]
    part: Part
    parameter: bool = True

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        count = 1
        for size in self.dims:
            count *= size
        return count


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A model as its ``config.json`` describes it.

    Attributes:
        name: of the model, from ``_name_or_path`` where the config has it.
        model_type: as in the config.
        card: hyperparameters by their GGUF keys, None where llama.cpp has no such architecture.
        layers: of the text half, next-token-prediction heads last.
        memory: what is kept between tokens.
        window_tokens: the sliding window or chunk, 0 where no layer has one.
        causal: False for encoders.
        tensors: all that transformers would hold in memory, the towers' and projectors' too. Next-token-prediction
            heads, which it does not load, are left out.
        towers: encoders for pictures and for sound.
        embedding_length, vocabulary_tokens, context_trained_tokens: of the text half. A context of 0 is none: the
            model has no positions.
        tied: the output matrix is the token embedding.
        speech: it takes sound and gives text, or the other way, and is no language model that hears as well.
        dtype: of the weights, by its safetensors name (``BF16``); None where the config does not say.
    """

    name: str
    model_type: str
    card: Card | None
    layers: tuple[Layer, ...]
    memory: Memory = "attention"
    window_tokens: int = 0
    causal: bool = True
    tensors: tuple[CheckpointTensor, ...]
    towers: tuple[Tower, ...] = ()
    embedding_length: int
    vocabulary_tokens: int
    context_trained_tokens: int
    tied: bool = False
    speech: bool = False
    dtype: str | None = None

    @property
    def parameters(self) -> int:
        """Numbers in all parameters, as transformers counts them: tied matrices once, buffers not."""
        return sum(tensor.elements for tensor in self.tensors if tensor.parameter)
