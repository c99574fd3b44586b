"""The records of a model's shape: everything that memory depends on, and no weight."""

from __future__ import annotations

from typing import Literal

import msgspec

Attention = Literal["full", "sliding", "chunked", "none"]
Memory = Literal["attention", "recurrent", "hybrid", "none"]
Kind = Literal["text", "embedding", "speech", "projector", "adapter"]


class Tensor(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One tensor of a file. ``dims`` in ggml's order, the row first."""

    name: str
    dims: tuple[int, ...]
    format: str
    bytes: int
    offset: int = 0
    shard: int = 0

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        count = 1
        for size in self.dims:
            count *= size
        return count


class Layer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One layer (llama.cpp: block).

    Attributes:
        attention: what a token of this layer looks at; ``none`` where it has no attention.
        heads, kv_heads: query heads, key/value heads (fewer: GQA; one: MQA).
        key_length, value_length: numbers a head, as cached.
        latent_kv: multi-head latent attention: one compressed row is cached as K and nothing as V.
        cache_of: the layer whose KV cache this one reads; itself where it has its own, None where it has none.
        convolution_elements, state_elements: recurrent state kept for each sequence, in F32 numbers.
        feed_forward_length: width of the dense feed-forward, 0 where there is none.
        experts, experts_active, expert_length: mixture of experts: how many, how many a token uses, their width.
        shared_length: width of the feed-forward that every token uses beside the experts.
        next_token: a next-token-prediction head, which takes weights but no cache of the main context.
    """

    attention: Attention = "full"
    heads: int = 0
    kv_heads: int = 0
    key_length: int = 0
    value_length: int = 0
    latent_kv: bool = False
    cache_of: int | None = None
    convolution_elements: int = 0
    state_elements: int = 0
    feed_forward_length: int = 0
    experts: int = 0
    experts_active: int = 0
    expert_length: int = 0
    shared_length: int = 0
    next_token: bool = False

    @property
    def key_elements(self) -> int:
        """Numbers in one cached K row."""
        return self.key_length * self.kv_heads

    @property
    def value_elements(self) -> int:
        """Numbers in one cached V row; 0 for latent attention."""
        return 0 if self.latent_kv else self.value_length * self.kv_heads


class Tokenizer(msgspec.Struct, frozen=True, kw_only=True):
    """What the tokenizer's heap depends on. ``bytes`` are the UTF-8 bytes of all token strings."""

    kind: str
    tokens: int
    token_bytes: int = 0
    merges: int = 0
    merge_bytes: int = 0


class Tower(msgspec.Struct, frozen=True, kw_only=True):
    """One encoder of a projector file (``mmproj``).

    Attributes:
        projector: the kind of projector behind it, ``clip.projector_type``.
        image_size, patch_size: pixels a side of the trained image and of a patch; 0 for sound.
        merge_size: patches a side, or frames of sound, that become one token; 0 where the header does not say.
        most_pixels: the largest picture, 0 where the header does not say.
        window_period: every so many layers attention is full, and windowed between; 0 where it is full in all.
        mel_bins: bands of the spectrum of sound.
    """

    kind: Literal["vision", "audio"]
    projector: str
    layers: int
    embedding_length: int
    feed_forward_length: int
    heads: int
    kv_heads: int = 0
    image_size: int = 0
    patch_size: int = 0
    merge_size: int = 0
    most_pixels: int = 0
    window_period: int = 0
    mel_bins: int = 0


class Shard(msgspec.Struct, frozen=True, array_like=True):
    """One file of a model. ``data_offset`` is where its tensor data starts."""

    path: str
    bytes: int
    data_offset: int


class ModelShape(msgspec.Struct, frozen=True, kw_only=True):
    """A model as memory sees it.

    Attributes:
        architecture: the name in the file, ``llama``; a key or alias of ``model.architectures``.
        parameters: numbers in all tensors that every weight file of the model holds.
        parameters_active: those that one token passes through (experts not chosen left out).
        memory: which cache the engine creates: attention (KV), recurrent, hybrid, or none (encoders).
        window_tokens: the sliding window or chunk, 0 where no layer has one.
        copies_tied_embedding: the engine reads a tied embedding twice where it does not map it.
        dimensions: integer hyperparameters by their GGUF key without the architecture's prefix.
        tensors: every tensor with its format, empty where only the shape is known.
    """

    architecture: str
    name: str
    kind: Kind = "text"
    parameters: int
    parameters_active: int
    embedding_length: int
    vocabulary_tokens: int
    context_trained_tokens: int
    memory: Memory = "attention"
    window_tokens: int = 0
    causal: bool = True
    tied_embeddings: bool = False
    copies_tied_embedding: bool = False
    layers: tuple[Layer, ...] = ()
    tokenizer: Tokenizer | None = None
    towers: tuple[Tower, ...] = ()
    dimensions: dict[str, int] = {}
    tensors: tuple[Tensor, ...] = ()
    shards: tuple[Shard, ...] = ()
    file_type: int | None = None
    schema_version: int = 1

    @property
    def weights_bytes(self) -> int:
        """Bytes of all tensors, without the padding between them."""
        return sum(tensor.bytes for tensor in self.tensors)

    @property
    def trunk(self) -> tuple[Layer, ...]:
        """The layers that run for every token, next-token-prediction heads left out."""
        return tuple(layer for layer in self.layers if not layer.next_token)
