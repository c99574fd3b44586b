"""The vision encoders of Qwen2-VL, Qwen2.5-VL, Qwen3-VL and Qwen3.5.

Tensors follow transformers 5.23.0 models/{qwen2_vl,qwen2_5_vl,qwen3_vl,qwen3_5}/modeling_*.py.
"""

from __future__ import annotations

from memfit.model.configs._section import MOST_LAYERS, Section
from memfit.model.configs._tower import (
    Encoder,
    Tensors,
    convolution,
    gated_mlp,
    linear,
    norm,
    plain_mlp,
    read_encoder,
    square,
    table,
)
from memfit.model.metadata import Value
from memfit.model.shape import Tower

DEEPSTACK = (8, 16, 24)  # deepstack_visual_indexes of Qwen3VLVisionConfig


def deepstack(config: Section) -> dict[str, Value]:
    """GGUF's count of layers that the vision encoder feeds directly, for a text half inside a larger model.

    Raises:
        Malformed: the list is of the wrong kind.
    """
    vision = config.parent.section("vision_config") if config.parent else None
    if config.parent is None or vision is None:
        return {}
    stated = vision.integers("deepstack_visual_indexes", most=MOST_LAYERS)
    return {"n_deepstack_layers": len(DEEPSTACK if stated is None else stated)}


def _read(config: Section, *, feed_forward: int, layers: int, width: int, width_name: str = "hidden_size") -> Encoder:
    return read_encoder(
        config,
        layers=layers,
        width=width,
        feed_forward=feed_forward,
        heads=16,
        layers_name=("depth", "num_hidden_layers"),
        width_name=(width_name,),
        heads_name=("num_heads", "num_attention_heads"),
    )


def _tower(sizes: Encoder, projector: str, patch: int, merge: int, *, period: int = 0) -> Tower:
    return Tower(
        kind="vision",
        projector=projector,
        layers=sizes.layers,
        embedding_length=sizes.width,
        feed_forward_length=sizes.feed_forward,
        heads=sizes.heads,
        kv_heads=sizes.heads,
        patch_size=patch,
        merge_size=merge,
        window_period=period,
    )


def _patches(config: Section, sizes: Encoder, patch: int, *, bias: bool) -> Tensors:
    channels, frames = config.integer("in_channels", default=3), square(config, "temporal_patch_size", 2)
    yield from convolution("v.patch_embd", patch, patch, frames, channels, sizes.width, bias=bias)


def _merger(name: str, sizes: Encoder, merge: int, outputs: int, *, normed: int, bias: bool = True) -> Tensors:
    inner = sizes.width * merge * merge
    yield from norm(f"{name}.norm", normed, bias=bias)
    yield from linear(f"{name}.0", inner, inner)
    yield from linear(f"{name}.2", inner, outputs)


def qwen2_vision(config: Section) -> tuple[Tower, Tensors]:
    """Qwen2-VL: layer norms, a plain feed-forward of ``mlp_ratio`` times the width.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    width = config.integer("embed_dim", default=1280)
    length = int(config.number("mlp_ratio", 4.0, most=64.0) * width)
    sizes = _read(config, layers=32, width=1280, feed_forward=length, width_name="embed_dim")
    sizes = Encoder(sizes.layers, sizes.width, length, sizes.heads)
    patch, merge = square(config, "patch_size", 14), config.integer("spatial_merge_size", default=2, most=16)
    outputs = config.integer("hidden_size", default=3584)

    def tensors() -> Tensors:
        yield from _patches(config, sizes, patch, bias=False)
        for index in range(sizes.layers):
            yield from _block(f"v.blk.{index}", sizes)
        yield from _merger("mm", sizes, merge, outputs, normed=sizes.width)

    return _tower(sizes, "qwen2vl_merger", patch, merge), tensors()


def qwen2_5_vision(config: Section) -> tuple[Tower, Tensors]:
    """Qwen2.5-VL: norms without bias, a gated feed-forward with, windows in most layers.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    # 3584 is what Qwen2_5_VLVisionConfig gives; released models have 1280 and say so
    sizes = _read(config, layers=32, width=3584, feed_forward=3420)
    patch, merge = square(config, "patch_size", 14), config.integer("spatial_merge_size", default=2, most=16)
    outputs = config.integer("out_hidden_size", default=3584)
    full = config.integers("fullatt_block_indexes", most=MOST_LAYERS)
    period = full[0] + 1 if full else 8 if full is None else 0

    def tensors() -> Tensors:
        yield from _patches(config, sizes, patch, bias=False)
        for index in range(sizes.layers):
            block = f"v.blk.{index}"
            yield from norm(f"{block}.ln1", sizes.width, bias=False)
            yield from _attention(block, sizes)
            yield from norm(f"{block}.ln2", sizes.width, bias=False)
            yield from gated_mlp(block, sizes.width, sizes.feed_forward, bias=True)
        yield from _merger("mm", sizes, merge, outputs, normed=sizes.width, bias=False)

    return _tower(sizes, "qwen2.5vl_merger", patch, merge, period=period), tensors()


def qwen3_vision(config: Section, *, stacks: bool) -> tuple[Tower, Tensors]:
    """Qwen3-VL and Qwen3.5: learned positions; with ``stacks`` some layers' outputs are merged on their own.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = _read(config, layers=27, width=1152, feed_forward=4304)
    patch, merge = square(config, "patch_size", 16), config.integer("spatial_merge_size", default=2, most=16)
    outputs, positions = (
        config.integer("out_hidden_size", default=3584),
        config.integer("num_position_embeddings", default=2304),
    )
    stated = config.integers("deepstack_visual_indexes", most=MOST_LAYERS)
    stacked = (DEEPSTACK if stated is None else stated) if stacks else ()
    if len(stacked) > sizes.layers and stated is not None:
        raise config.malformed("deepstack_visual_indexes", f"has {len(stacked)} entries for {sizes.layers} layers")

    def tensors() -> Tensors:
        yield from _patches(config, sizes, patch, bias=True)
        yield from table("v.position_embd.weight", sizes.width, positions)
        for index in range(sizes.layers):
            yield from _block(f"v.blk.{index}", sizes)
        yield from _merger("mm", sizes, merge, outputs, normed=sizes.width)
        for place, index in enumerate(stacked):
            name = f"v.deepstack.{index}.{place}"
            yield from _merger(name, sizes, merge, outputs, normed=sizes.width * merge * merge)

    return _tower(sizes, "qwen3vl_merger", patch, merge), tensors()


def _attention(block: str, sizes: Encoder) -> Tensors:
    yield from linear(f"{block}.attn_qkv", sizes.width, 3 * sizes.width)
    yield from linear(f"{block}.attn_out", sizes.width, sizes.width)


def _block(block: str, sizes: Encoder) -> Tensors:
    yield from norm(f"{block}.ln1", sizes.width)
    yield from _attention(block, sizes)
    yield from norm(f"{block}.ln2", sizes.width)
    yield from plain_mlp(block, sizes.width, sizes.feed_forward)
