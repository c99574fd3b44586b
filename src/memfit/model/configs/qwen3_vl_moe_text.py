"""The text half of Qwen3-VL with experts."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    attention_biases,
    dense_layers,
    dense_plan,
    densify,
    experts,
)
from memfit.model.configs._section import Section
from memfit.model.configs._text import read_sizes, text, tied
from memfit.model.configs._vision_qwen import deepstack


def read(config: Section) -> Checkpoint:
    """Experts in every layer that the config does not make dense.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(
        config, layers=24, width=2048, feed_forward=5632, heads=16, kv_heads=16, vocabulary=151936, context=128000
    )
    count, used = experts(config, "num_experts", "num_local_experts", default=60, active=4, least=0)
    dense = dense_layers(config, sizes.layers, count)
    metadata = sizes.metadata(
        expert_count=max(count, 1),
        expert_used_count=min(used, max(count, 1)),
        expert_feed_forward_length=config.integer("moe_intermediate_size", default=1408),
        **deepstack(config),
    )
    return text(
        config,
        "qwen3vlmoe",
        metadata,
        tied=tied(config, default=True),
        biases=attention_biases(config),
        adjust=densify(dense, sizes.width, sizes.feed_forward),
        layers=dense_plan(dense, sizes.feed_forward),
        loadable=not dense,
    )


CONFIG = Config(
    model_type="qwen3_vl_moe_text",
    summary="the text half of Qwen3-VL with experts",
    source=transformers("qwen3_vl_moe"),
    read=read,
)
