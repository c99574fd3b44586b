"""Llama 4: a vision encoder before the text half."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._nested import read_text
from memfit.model.configs._section import Section
from memfit.model.configs._tower import (
    Tensors,
    attention,
    join,
    linear,
    norm,
    patches_per_side,
    plain_mlp,
    read_encoder,
    square,
    table,
)
from memfit.model.shape import Tower


def read(config: Section) -> Checkpoint:
    """The text half, the vision encoder with its pixel shuffle, and the projector.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    half = read_text(config, "llama4_text", tied=None)
    vision = config.inner("vision_config", "llama4_vision_model")
    sizes = read_encoder(vision, layers=34, width=768, feed_forward=5632, heads=16)
    image, patch = square(vision, "image_size", 448), square(vision, "patch_size", 14)
    channels, side = vision.integer("num_channels", default=3), patches_per_side(vision, image, patch)
    inputs = vision.integer("projector_input_dim", default=4096)
    outputs = vision.integer("projector_output_dim", default=4096)
    width = vision.integer("vision_output_dim", default=7680)
    ratio = vision.number("pixel_shuffle_ratio", 0.5, least=0.01, most=1.0)

    def tensors() -> Tensors:
        yield from table("v.class_embd", sizes.width)
        yield from linear("v.patch_embd", channels * patch * patch, sizes.width, bias=False)
        yield from table("v.position_embd.weight", sizes.width, side * side + 1)
        yield from norm("v.pre_ln", sizes.width)
        for index in range(sizes.layers):
            block = f"v.blk.{index}"
            yield from norm(f"{block}.ln1", sizes.width)
            yield from attention(block, sizes.width)
            yield from norm(f"{block}.ln2", sizes.width)
            yield from plain_mlp(block, sizes.width, sizes.feed_forward)
        yield from norm("v.post_ln", sizes.width)
        yield from linear("mm.model.mlp.1", sizes.feed_forward, inputs, bias=False)
        yield from linear("mm.model.mlp.2", outputs, outputs, bias=False)
        yield from linear("mm.model.fc", width, half.embedding_length, bias=False)

    tower = Tower(
        kind="vision",
        projector="llama4",
        layers=sizes.layers,
        embedding_length=sizes.width,
        feed_forward_length=sizes.feed_forward,
        heads=sizes.heads,
        kv_heads=sizes.heads,
        image_size=image,
        patch_size=patch,
        merge_size=round(1 / ratio),
    )
    return join(config, half, (tower,), tensors())


CONFIG = Config(
    model_type="llama4",
    summary="Llama 4 Scout and Maverick",
    source=transformers("llama4"),
    read=read,
)
