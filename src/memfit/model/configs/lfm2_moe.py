"""LFM2 with experts behind its first layers."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    experts,
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
        config, layers=32, width=2048, feed_forward=7168, heads=32, kv_heads=8, vocabulary=65536, context=128000
    )
    types = layer_types(config, "layer_types", count=sizes.layers, known=("conv", "full_attention"))
    if types is None:
        raise config.malformed("layer_types", "is missing, and nothing else tells which layers have attention")
    count, used = experts(config, "num_experts", default=32, active=4)
    metadata = sizes.metadata(
        shortconv__l_cache=config.integer("conv_L_cache", default=3),
        leading_dense_block_count=config.integer("num_dense_layers", default=2, least=0),
        expert_count=count,
        expert_used_count=used,
        expert_feed_forward_length=config.integer("moe_intermediate_size", default=1792),
    )
    metadata["attention.head_count_kv"] = [sizes.kv_heads if kind == "full_attention" else 0 for kind in types]
    biases = ("shortconv.conv", "shortconv.in_proj", "shortconv.out_proj") if config.flag("conv_bias") else ()
    return text(
        config,
        "lfm2moe",
        metadata,
        tied=config.flag("tie_embedding", "tie_word_embeddings", default=True),
        biases=biases,
        absent=() if config.flag("use_expert_bias", default=True) else ("exp_probs_b.bias",),
        loadable=not biases,
    )


CONFIG = Config(
    model_type="lfm2_moe",
    summary="LFM2-8B-A1B, LFM2-24B-A2B",
    source=transformers("lfm2_moe"),
    read=read,
)
