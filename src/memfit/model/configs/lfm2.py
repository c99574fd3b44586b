"""LFM2: gated short convolutions with some attention layers between."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    layer_types,
)
from memfit.model.configs._section import Section
from memfit.model.configs._text import read_sizes, text


def read(config: Section) -> Checkpoint:
    """A short convolution or a KV cache in every layer.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(
        config, layers=32, width=2560, feed_forward=12288, heads=32, kv_heads=8, vocabulary=65536, context=128000
    )
    types = layer_types(config, "layer_types", count=sizes.layers, known=("conv", "full_attention"))
    if types is None:
        listed = config.integers("full_attn_idxs")
        attention = None if listed is None else frozenset(listed)
        types = tuple(
            "full_attention" if attention is None or index in attention else "conv" for index in range(sizes.layers)
        )
    length = config.integer("block_ff_dim", "intermediate_size", default=sizes.feed_forward)
    metadata = sizes.metadata(
        feed_forward_length=_adjusted(config, length), shortconv__l_cache=config.integer("conv_L_cache", default=3)
    )
    metadata["attention.head_count_kv"] = [sizes.kv_heads if kind == "full_attention" else 0 for kind in types]
    biases = ("shortconv.conv", "shortconv.in_proj", "shortconv.out_proj") if config.flag("conv_bias") else ()
    return text(
        config,
        "lfm2",
        metadata,
        tied=config.flag("tie_embedding", "tie_word_embeddings", default=True),
        biases=biases,
        loadable=not biases,
    )


def _adjusted(config: Section, length: int) -> int:
    """Width of the feed-forward: two thirds, rounded up to a multiple (``Lfm2MLP``)."""
    if not config.flag("block_auto_adjust_ff_dim", default=True):
        return length
    length = int(2 * length / 3)
    if "block_ffn_dim_multiplier" in config.values and config.values["block_ffn_dim_multiplier"] is None:
        return length
    multiple = config.integer("block_multiple_of", default=256)
    length = int(config.number("block_ffn_dim_multiplier", 1.0) * length)
    return multiple * -(-length // multiple)


CONFIG = Config(
    model_type="lfm2",
    summary="LFM2 and LFM2.5 dense",
    source=transformers("lfm2"),
    read=read,
)
