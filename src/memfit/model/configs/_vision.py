"""Vision encoders that several models share: CLIP, SigLIP, SigLIP 2, Pixtral.

Tensors follow transformers 5.23.0 models/{clip,siglip,siglip2,pixtral}/modeling_*.py.
"""

from __future__ import annotations

from memfit.model.configs._section import Section
from memfit.model.configs._tower import (
    Encoder,
    Tensors,
    attention,
    convolution,
    gated_mlp,
    linear,
    norm,
    patches_per_side,
    plain_mlp,
    read_encoder,
    square,
    table,
)
from memfit.model.shape import Tower

CLIP_IMAGE, CLIP_PATCH = 224, 32
SIGLIP_IMAGE, SIGLIP_PATCH = 224, 16
PIXTRAL_IMAGE, PIXTRAL_PATCH = 1024, 16
KINDS = ("clip_vision_model", "siglip_vision_model", "siglip2_vision_model", "pixtral")


def read_vision(config: Section, projector: str, *, merge: int = 0) -> tuple[Tower, Tensors]:
    """The encoder of a vision section by its own model type.

    Args:
        config: the section, with a model type of ``KINDS``.
        projector: llama.cpp's name of what follows it.
        merge: patches a side that become one token.

    Raises:
        Malformed: another model type, or a field that is of the wrong kind.
    """
    if config.model_type == "clip_vision_model":
        return _clip(config, projector, merge)
    if config.model_type in ("siglip_vision_model", "siglip2_vision_model"):
        return _siglip(config, projector, merge)
    if config.model_type == "pixtral":
        return _pixtral(config, projector, merge)
    raise config.malformed("model_type", f"is {config.model_type!r}, expected one of {', '.join(KINDS)}")


def _tower(sizes: Encoder, projector: str, merge: int, image: int, patch: int) -> Tower:
    return Tower(
        kind="vision",
        projector=projector,
        layers=sizes.layers,
        embedding_length=sizes.width,
        feed_forward_length=sizes.feed_forward,
        heads=sizes.heads,
        kv_heads=sizes.heads,
        image_size=image,
        patch_size=patch,
        merge_size=merge,
    )


def _blocks(sizes: Encoder) -> Tensors:
    for index in range(sizes.layers):
        block = f"v.blk.{index}"
        yield from norm(f"{block}.ln1", sizes.width)
        yield from attention(block, sizes.width)
        yield from norm(f"{block}.ln2", sizes.width)
        yield from plain_mlp(block, sizes.width, sizes.feed_forward)


def _clip(config: Section, projector: str, merge: int) -> tuple[Tower, Tensors]:
    sizes = read_encoder(config, layers=12, width=768, feed_forward=3072, heads=12)
    image, patch = square(config, "image_size", CLIP_IMAGE), square(config, "patch_size", CLIP_PATCH)
    channels, side = config.integer("num_channels", default=3), patches_per_side(config, image, patch)

    def tensors() -> Tensors:
        yield from table("v.class_embd", sizes.width)
        yield from convolution("v.patch_embd", patch, patch, channels, sizes.width, bias=False)
        yield from table("v.position_embd.weight", sizes.width, side * side + 1)
        yield from norm("v.pre_ln", sizes.width)
        yield from _blocks(sizes)
        yield from norm("v.post_ln", sizes.width)

    return _tower(sizes, projector, merge, image, patch), tensors()


def _siglip(config: Section, projector: str, merge: int) -> tuple[Tower, Tensors]:
    sizes = read_encoder(config, layers=12, width=768, feed_forward=3072, heads=12)
    patch, channels = square(config, "patch_size", SIGLIP_PATCH), config.integer("num_channels", default=3)
    if config.model_type == "siglip2_vision_model":
        # pictures of any sides: patches come cut out, and positions are interpolated
        image, positions = 0, config.integer("num_patches", default=256)
    else:
        image = square(config, "image_size", SIGLIP_IMAGE)
        positions = patches_per_side(config, image, patch) ** 2
    head = config.flag("vision_use_head", default=True)

    def tensors() -> Tensors:
        yield from convolution("v.patch_embd", patch, patch, channels, sizes.width)
        yield from table("v.position_embd.weight", sizes.width, positions)
        yield from _blocks(sizes)
        yield from norm("v.post_ln", sizes.width)
        if head:
            yield from _pooling_head(sizes)

    return _tower(sizes, projector, merge, image, patch), tensors()


def _pooling_head(sizes: Encoder) -> Tensors:
    """SigLIP's pooling by attention, which language models do not use and yet may carry."""
    yield from table("v.head.probe", sizes.width)
    yield from linear("v.head.attn_qkv", sizes.width, 3 * sizes.width)
    yield from linear("v.head.attn_out", sizes.width, sizes.width)
    yield from norm("v.head.ln", sizes.width)
    yield from plain_mlp("v.head", sizes.width, sizes.feed_forward)


def _pixtral(config: Section, projector: str, merge: int) -> tuple[Tower, Tensors]:
    sizes = read_encoder(config, layers=24, width=1024, feed_forward=4096, heads=16)
    image, patch = square(config, "image_size", PIXTRAL_IMAGE), square(config, "patch_size", PIXTRAL_PATCH)
    channels = config.integer("num_channels", default=3)

    def tensors() -> Tensors:
        yield from convolution("v.patch_embd", patch, patch, channels, sizes.width, bias=False)
        yield from norm("v.pre_ln", sizes.width, bias=False)
        for index in range(sizes.layers):
            block = f"v.blk.{index}"
            yield from norm(f"{block}.ln1", sizes.width, bias=False)
            yield from attention(block, sizes.width, bias=False)
            yield from norm(f"{block}.ln2", sizes.width, bias=False)
            yield from gated_mlp(block, sizes.width, sizes.feed_forward)

    return _tower(sizes, projector, merge, image, patch), tensors()
