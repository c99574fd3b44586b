"""Gemma 4's encoders for pictures and for sound.

Tensors follow transformers 5.23.0 models/gemma4/modeling_gemma4.py.
"""

from __future__ import annotations

from memfit.model.configs._checkpoint import CheckpointTensor
from memfit.model.configs._section import Section
from memfit.model.configs._tower import (
    Encoder,
    Tensors,
    convolution,
    gated_mlp,
    linear,
    norm,
    read_encoder,
    square,
    table,
)
from memfit.model.shape import Tower

CHANNELS = 3  # Gemma4VisionPatchEmbedder
TAPS = 3  # of the audio encoder's two-dimensional convolutions, which halve both sides
_BOUNDS = ("input_min", "input_max", "output_min", "output_max")


def gemma4_vision(config: Section, outputs: int) -> tuple[Tower, Tensors]:
    """The vision encoder, and what joins it to a text half as wide as ``outputs``.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_encoder(config, layers=16, width=768, feed_forward=3072, heads=12)
    head, kv_heads = config.integer("head_dim", default=64), config.integer("num_key_value_heads", default=12)
    if sizes.heads % kv_heads:
        raise config.malformed("num_key_value_heads", f"is {kv_heads}, which does not divide {sizes.heads} heads")
    patch, positions = square(config, "patch_size", 16), config.integer("position_embedding_size", default=10240)
    clipped, standardized = config.flag("use_clipped_linears"), config.flag("standardize")

    def tensors() -> Tensors:
        yield from linear("v.patch_embd", CHANNELS * patch * patch, sizes.width, bias=False)
        yield from table("v.position_embd.weight", sizes.width, positions, 2)
        for index in range(sizes.layers):
            block = f"v.blk.{index}"
            for name in ("ln1", "attn_post_norm", "ln2", "ffn_post_norm"):
                yield from norm(f"{block}.{name}", sizes.width, bias=False)
            yield from norm(f"{block}.attn_q_norm", head, bias=False)
            yield from norm(f"{block}.attn_k_norm", head, bias=False)
            yield from _clipped(_attention(block, sizes, head, kv_heads), clipped)
            yield from _clipped(gated_mlp(block, sizes.width, sizes.feed_forward), clipped)
        for name in ("v.std_bias", "v.std_scale") if standardized else ():
            yield CheckpointTensor(name, (sizes.width,), "other", False)
        yield from linear("mm.input_projection", sizes.width, outputs, bias=False)

    tower = Tower(
        kind="vision",
        projector="gemma4v",
        layers=sizes.layers,
        embedding_length=sizes.width,
        feed_forward_length=sizes.feed_forward,
        heads=sizes.heads,
        kv_heads=kv_heads,
        patch_size=patch,
        merge_size=config.integer("pooling_kernel_size", default=3),
    )
    return tower, tensors()


def gemma4_audio(config: Section, outputs: int) -> tuple[Tower, Tensors]:
    """The audio encoder, a conformer, and what joins it to a text half as wide as ``outputs``.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_encoder(config, layers=12, width=1024, feed_forward=0, heads=8)
    sizes = Encoder(sizes.layers, sizes.width, 4 * sizes.width, sizes.heads)
    channels = config.integers("subsampling_conv_channels", least=1, count=2) or (128, 32)
    projected, taps = config.integer("output_proj_dims", default=1536), config.integer("conv_kernel_size", default=5)
    clipped = config.flag("use_clipped_linears", default=True)

    def tensors() -> Tensors:
        for index, inputs in enumerate((1, channels[0])):
            yield from convolution(f"a.conv2d.{index}", TAPS, TAPS, inputs, channels[index], bias=False)
            yield from norm(f"a.conv2d.{index}.norm", channels[index], bias=False)
        yield from linear("a.input_projection", channels[0] // 4 * channels[1], sizes.width, bias=False)
        for index in range(sizes.layers):
            yield from _conformer(f"a.blk.{index}", sizes, taps, clipped)
        yield from linear("a.output_projection", sizes.width, projected)
        yield from linear("mm.a.input_projection", projected, outputs, bias=False)

    tower = Tower(
        kind="audio",
        projector="gemma4a",
        layers=sizes.layers,
        embedding_length=sizes.width,
        feed_forward_length=sizes.feed_forward,
        heads=sizes.heads,
        kv_heads=sizes.heads,
    )
    return tower, tensors()


def _attention(block: str, sizes: Encoder, head: int, kv_heads: int) -> Tensors:
    yield from linear(f"{block}.attn_q", sizes.width, sizes.heads * head, bias=False)
    yield from linear(f"{block}.attn_k", sizes.width, kv_heads * head, bias=False)
    yield from linear(f"{block}.attn_v", sizes.width, kv_heads * head, bias=False)
    yield from linear(f"{block}.attn_out", sizes.heads * head, sizes.width, bias=False)


def _conformer(block: str, sizes: Encoder, taps: int, clipped: bool) -> Tensors:
    width, head = sizes.width, sizes.width // sizes.heads
    for half in ("ffn_1", "ffn_2"):
        yield from norm(f"{block}.{half}.pre_norm", width, bias=False)
        yield from _clipped(linear(f"{block}.{half}.up", width, sizes.feed_forward, bias=False), clipped)
        yield from _clipped(linear(f"{block}.{half}.down", sizes.feed_forward, width, bias=False), clipped)
        yield from norm(f"{block}.{half}.post_norm", width, bias=False)
    for name in ("attn_pre_norm", "attn_post_norm", "out_norm"):
        yield from norm(f"{block}.{name}", width, bias=False)
    for part in ("q", "k", "v"):
        yield from _clipped(linear(f"{block}.attn_{part}", width, sizes.heads * head, bias=False), clipped)
    yield from _clipped(linear(f"{block}.attn_out", width, width, bias=False), clipped)
    yield from linear(f"{block}.attn_relative_k", width, sizes.heads * head, bias=False)
    yield from table(f"{block}.attn_per_dim_scale", head)
    yield from norm(f"{block}.conv_pre_norm", width, bias=False)
    yield from _clipped(linear(f"{block}.conv_pw1", width, 2 * width, bias=False), clipped)
    yield from convolution(f"{block}.conv_dw", taps, width, bias=False)
    yield from norm(f"{block}.conv_norm", width, bias=False)
    yield from _clipped(linear(f"{block}.conv_pw2", width, width, bias=False), clipped)


def _clipped(tensors: Tensors, clipped: bool) -> Tensors:
    """Matrices with the bounds of their inputs and outputs, which are stored as buffers."""
    for tensor in tensors:
        yield tensor
        for name in _BOUNDS if clipped else ():
            yield CheckpointTensor(f"{tensor.name.removesuffix('.weight')}.{name}", (1,), "other", False)
