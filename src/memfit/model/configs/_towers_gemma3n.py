"""Gemma 3n's encoders: MobileNetV5 for pictures, a conformer for sound.

Tensors follow ``mobilenetv5_300m_enc`` of timm 1.0.31 (timm/models/mobilenetv5.py) and transformers 5.23.0
models/gemma3n/modeling_gemma3n.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from memfit.model.configs._section import Section
from memfit.model.configs._tower import Encoder, Tensors, convolution, linear, norm, read_encoder, table
from memfit.model.shape import Tower

VISION = "mobilenetv5_300m_enc"
STEM = 64
OUTPUT = 2048  # what the fusion of the last two stages makes
# first stage: inner and outer widths of convolutions over three by three pixels
EDGE_BLOCKS = ((256, 128), (512, 128), (512, 128))
# later stages: side of the depth-wise convolution before (0 for none) and in the middle, inner width, outer width
BOTTLENECKS = (
    ((3, 5, 768, 256), (5, 0, 1024, 256), (3, 0, 1024, 256), (5, 0, 1024, 256), (3, 0, 1024, 256)),
    ((5, 5, 1536, 640), *((5, 0, 2560, 640),) * 7, (0, 0, 640, 640)),
    ((5, 5, 3840, 1280),),
)
# attention behind them, each with a feed-forward: how often, query width, key and value width, side of the convolution
# that makes keys and values smaller (0 for none), inner width of the feed-forward
ATTENTION = ((0, 0, 0, 0, 0), (14, 768, 64, 3, 1280), (19, 1536, 96, 0, 2560))
FUSED, FUSION = 640 + 1280, 3840


def gemma3n_vision(config: Section, outputs: int) -> tuple[Tower, Tensors]:
    """The vision encoder, and what joins it to a text half as wide as ``outputs``.

    Raises:
        Malformed: another encoder, or a field that is of the wrong kind.
    """
    name = config.text("architecture", VISION)
    if name != VISION:
        raise config.malformed("architecture", f"is {name!r}, and memfit knows {VISION} alone")
    width, vocabulary = config.integer("hidden_size", default=OUTPUT), config.integer("vocab_size", default=128)

    def tensors() -> Tensors:
        yield from _mobilenet()
        yield from _embedder("mm.v", width, vocabulary, outputs)

    tower = Tower(
        kind="vision",
        projector="gemma3nv",
        layers=sum(len(stage) for stage in BOTTLENECKS) + sum(2 * stage[0] for stage in ATTENTION) + len(EDGE_BLOCKS),
        embedding_length=OUTPUT,
        feed_forward_length=FUSION,
        heads=ATTENTION[-1][1] // ATTENTION[-1][2],
        kv_heads=1,
    )
    return tower, tensors()


def gemma3n_audio(config: Section, outputs: int) -> tuple[Tower, Tensors]:
    """The audio encoder, and what joins it to a text half as wide as ``outputs``.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_encoder(
        config,
        layers=12,
        width=1536,
        feed_forward=0,
        heads=8,
        layers_name=("conf_num_hidden_layers",),
        heads_name=("conf_num_attention_heads",),
    )
    sizes = Encoder(sizes.layers, sizes.width, 4 * sizes.width, sizes.heads)
    channels = config.integers("sscp_conv_channel_size", least=1, count=2) or (128, 32)
    bands, taps = config.integer("input_feat_size", default=128), config.integer("conf_conv_kernel_size", default=5)
    kernels = _pairs(config, "sscp_conv_kernel_size", ((3, 3), (3, 3)))
    strides = _pairs(config, "sscp_conv_stride_size", ((2, 2), (2, 2)))
    left = bands
    for kernel, stride in zip(kernels, strides, strict=True):
        left = (left + 2 - kernel[1]) // stride[1] + 1
    if left < 1:
        raise config.malformed("sscp_conv_kernel_size", f"leaves nothing of input_feat_size {bands}")
    vocabulary = config.integer("vocab_size", default=128)

    def tensors() -> Tensors:
        for index, inputs in enumerate((1, channels[0])):
            yield from convolution(f"a.conv2d.{index}", *reversed(kernels[index]), inputs, channels[index], bias=False)
            yield from norm(f"a.conv2d.{index}.norm", channels[index], bias=False)
        yield from linear("a.input_projection", channels[1] * left, sizes.width, bias=False)
        for index in range(sizes.layers):
            yield from _conformer(f"a.blk.{index}", sizes, taps)
        yield from _embedder("mm.a", sizes.width, vocabulary, outputs)

    tower = Tower(
        kind="audio",
        projector="gemma3na",
        layers=sizes.layers,
        embedding_length=sizes.width,
        feed_forward_length=sizes.feed_forward,
        heads=sizes.heads,
        kv_heads=sizes.heads,
        merge_size=config.integer("conf_reduction_factor", default=4),
        mel_bins=bands,
    )
    return tower, tensors()


def _pairs(config: Section, name: str, default: Sequence[tuple[int, int]]) -> Sequence[tuple[int, int]]:
    value = config.values.get(name)
    if value is None:
        return default
    found = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    pairs = [tuple(pair) for pair in found if isinstance(pair, Sequence) and len(pair) == 2]
    if len(pairs) != 2 or not all(type(side) is int and 1 <= side <= 64 for pair in pairs for side in pair):
        raise config.malformed(name, "is not two pairs of whole numbers")
    return [(pair[0], pair[1]) for pair in pairs]


def _embedder(name: str, width: int, vocabulary: int, outputs: int) -> Tensors:
    """``Gemma3nMultimodalEmbedder``."""
    yield from table(f"{name}.embedding.weight", width, vocabulary)
    yield from norm(f"{name}.hard_emb_norm", width, bias=False)
    yield from norm(f"{name}.soft_emb_norm", width, bias=False)
    yield from linear(f"{name}.input_projection", width, outputs, bias=False)


def _conformer(block: str, sizes: Encoder, taps: int) -> Tensors:
    width = sizes.width
    for half in ("ffn_1", "ffn_2"):
        yield from norm(f"{block}.{half}.pre_norm", width, bias=False)
        yield from linear(f"{block}.{half}.up", width, sizes.feed_forward, bias=False)
        yield from linear(f"{block}.{half}.down", sizes.feed_forward, width, bias=False)
        yield from norm(f"{block}.{half}.post_norm", width, bias=False)
    for name in ("attn_pre_norm", "attn_post_norm", "out_norm"):
        yield from norm(f"{block}.{name}", width, bias=False)
    for part in ("q", "k", "v", "out", "relative_k"):
        yield from linear(f"{block}.attn_{part}", width, width, bias=False)
    yield from table(f"{block}.attn_per_dim_scale", width // sizes.heads)
    yield from norm(f"{block}.conv_pre_norm", width, bias=False)
    yield from linear(f"{block}.conv_pw1", width, 2 * width, bias=False)
    yield from convolution(f"{block}.conv_dw", taps, width, bias=False)
    yield from norm(f"{block}.conv_norm", width, bias=False)
    yield from linear(f"{block}.conv_pw2", width, width, bias=False)


def _mobilenet() -> Tensors:
    yield from _normed("v.stem", 3, 3, STEM, bias=True)
    width = STEM
    for index, (inner, outer) in enumerate(EDGE_BLOCKS):
        yield from _normed(f"v.blk.0.{index}.conv_exp", 3, width, inner)
        yield from _normed(f"v.blk.0.{index}.conv_pwl", 1, inner, outer)
        width = outer
    for number, (stage, attention) in enumerate(zip(BOTTLENECKS, ATTENTION, strict=True)):
        for index, (start, middle, inner, outer) in enumerate(stage):
            yield from _bottleneck(f"v.blk.{number + 1}.{index}", width, start, middle, inner, outer)
            width = outer
        count, query, key, side, inner = attention
        for index in range(len(stage), len(stage) + 2 * count, 2):
            yield from _attention(f"v.blk.{number + 1}.{index}", width, query, key, side)
            yield from _bottleneck(f"v.blk.{number + 1}.{index + 1}", width, 0, 0, inner, width)
    yield from _normed("v.msfa.pw_exp", 1, FUSED, FUSION)
    yield from _normed("v.msfa.pw_proj", 1, FUSION, OUTPUT)
    yield from norm("v.msfa.norm", OUTPUT, bias=False)


def _normed(name: str, side: int, inputs: int, outputs: int, *, bias: bool = False) -> Tensors:
    yield from convolution(name, side, side, inputs, outputs, bias=bias)
    yield from norm(f"{name}.norm", outputs, bias=False)


def _bottleneck(name: str, width: int, start: int, middle: int, inner: int, outer: int) -> Tensors:
    if start:
        yield from _normed(f"{name}.dw_start", start, 1, width)
    yield from _normed(f"{name}.pw_exp", 1, width, inner)
    if middle:
        yield from _normed(f"{name}.dw_mid", middle, 1, inner)
    yield from _normed(f"{name}.pw_proj", 1, inner, outer)
    yield from table(f"{name}.layer_scale", outer)


def _attention(name: str, width: int, query: int, key: int, side: int) -> Tensors:
    """Many queries over one key and value head."""
    yield from norm(f"{name}.norm", width, bias=False)
    yield from convolution(f"{name}.attn_q", 1, 1, width, query, bias=False)
    for part in ("k", "v"):
        if side:
            yield from _normed(f"{name}.attn_{part}.down", side, 1, width)
        yield from convolution(f"{name}.attn_{part}", 1, 1, width, key, bias=False)
    yield from convolution(f"{name}.attn_out", 1, 1, query, width, bias=False)
    yield from table(f"{name}.layer_scale", width)
