"""The tensors of encoders for pictures and sound, under the names that llama.cpp's projector files use.

``v.`` is a vision encoder, ``a.`` an audio encoder, ``mm.`` what joins it to the text half.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from memfit.model.configs._checkpoint import Checkpoint, CheckpointTensor, Part
from memfit.model.configs._section import MOST_LAYERS, Section
from memfit.model.shape import Tower

Tensors = Iterator[CheckpointTensor]
MOST_PATCH = 4096  # pixels a side; the largest of any released model is 64


def linear(name: str, inputs: int, outputs: int, *, bias: bool = True, part: Part = "linear") -> Tensors:
    """A matrix and its bias."""
    yield CheckpointTensor(f"{name}.weight", (inputs, outputs), part)
    if bias:
        yield CheckpointTensor(f"{name}.bias", (outputs,), "other")


def norm(name: str, width: int, *, bias: bool = True) -> Tensors:
    """A norm: with a bias a layer norm, without it one by the root mean square."""
    yield CheckpointTensor(f"{name}.weight", (width,), "norm")
    if bias:
        yield CheckpointTensor(f"{name}.bias", (width,), "other")


def convolution(name: str, *dims: int, bias: bool = True) -> Tensors:
    """A convolution, the outputs last in ``dims``."""
    yield CheckpointTensor(f"{name}.weight", dims, "convolution")
    if bias:
        yield CheckpointTensor(f"{name}.bias", dims[-1:], "other")


def table(name: str, *dims: int) -> Tensors:
    """An embedding of positions or a learned vector."""
    yield CheckpointTensor(name, dims, "embedding" if len(dims) > 1 else "other")


def attention(name: str, width: int, *, bias: bool = True, key_bias: bool = True) -> Tensors:
    """Query, key, value and output matrices over the whole width."""
    for part in ("q", "k", "v", "out"):
        yield from linear(f"{name}.attn_{part}", width, width, bias=bias and (key_bias or part != "k"))


def plain_mlp(name: str, width: int, length: int, *, bias: bool = True) -> Tensors:
    """Up and down."""
    yield from linear(f"{name}.ffn_up", width, length, bias=bias)
    yield from linear(f"{name}.ffn_down", length, width, bias=bias)


def gated_mlp(name: str, width: int, length: int, *, bias: bool = False) -> Tensors:
    """Gate, up and down."""
    yield from linear(f"{name}.ffn_gate", width, length, bias=bias)
    yield from plain_mlp(name, width, length, bias=bias)


class Encoder(msgspec.Struct, frozen=True):
    """The sizes that every encoder has."""

    layers: int
    width: int
    feed_forward: int
    heads: int


def read_encoder(
    config: Section,
    *,
    layers: int,
    width: int,
    feed_forward: int,
    heads: int,
    layers_name: tuple[str, ...] = ("num_hidden_layers",),
    width_name: tuple[str, ...] = ("hidden_size",),
    heads_name: tuple[str, ...] = ("num_attention_heads",),
) -> Encoder:
    """The common fields with a class' defaults.

    Raises:
        Malformed: a field is of the wrong kind, or the heads do not divide the width.
    """
    sizes = Encoder(
        layers=config.integer(*layers_name, default=layers, most=MOST_LAYERS),
        width=config.integer(*width_name, default=width),
        feed_forward=config.integer("intermediate_size", default=feed_forward),
        heads=config.integer(*heads_name, default=heads),
    )
    if sizes.width % sizes.heads:
        raise config.malformed(heads_name[0], f"is {sizes.heads}, which does not divide {width_name[0]} {sizes.width}")
    return sizes


def square(config: Section, name: str, default: int, *, most: int = MOST_PATCH) -> int:
    """A side in pixels. transformers takes a pair too; both must be equal here.

    Raises:
        Malformed: neither a whole number nor two that are equal.
    """
    if config.is_list(name):
        sides = config.integers(name, least=1, most=most) or ()
        if len(set(sides)) != 1:
            raise config.malformed(name, "is a list of sides that differ")
        return sides[0]
    return config.integer(name, default=default, most=most)


def patches_per_side(config: Section, image: int, patch: int) -> int:
    """How many patches stand side by side.

    Raises:
        Malformed: a patch larger than the picture.
    """
    if patch > image:
        raise config.malformed("patch_size", f"is {patch}, more than image_size {image}")
    return image // patch


def features(config: Section, name: str, default: int) -> int:
    """How many layers' outputs the projector takes: one number, or a list.

    Raises:
        Malformed: neither.
    """
    if config.is_list(name):
        chosen = config.integers(name, least=-MOST_LAYERS, most=MOST_LAYERS) or ()
        if not chosen:
            raise config.malformed(name, "is an empty list")
        return len(chosen)
    config.integer(name, default=default, least=-MOST_LAYERS, most=MOST_LAYERS)
    return 1


def join(config: Section, text: Checkpoint, towers: tuple[Tower, ...], *tensors: Tensors) -> Checkpoint:
    """The whole model: its text half with encoders and what joins them."""
    more: dict[str, Any] = {"model_type": config.model_type}
    own = config.text("_name_or_path").rstrip("/").rpartition("/")[2]
    return msgspec.structs.replace(
        text,
        name=own or (text.name if text.name != text.model_type else config.model_type),
        towers=towers,
        tensors=(*text.tensors, *(tensor for stream in tensors for tensor in stream)),
        **more,
    )
