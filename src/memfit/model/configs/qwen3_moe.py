"""Qwen3 with experts."""

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


def read(config: Section) -> Checkpoint:
    """Experts in every layer that the config does not make dense.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(
        config, layers=24, width=2048, feed_forward=6144, heads=32, kv_heads=4, vocabulary=151936, context=32768
    )
    count, used = experts(config, "num_experts", "num_local_experts", default=128, active=8, least=0)
    dense = dense_layers(config, sizes.layers, count)
    metadata = sizes.metadata(
        expert_count=max(count, 1),
        expert_used_count=min(used, max(count, 1)),
        expert_feed_forward_length=config.integer("moe_intermediate_size", default=768),
    )
    return text(
        config,
        "qwen3moe",
        metadata,
        tied=tied(config, default=False),
        biases=attention_biases(config),
        adjust=densify(dense, sizes.width, sizes.feed_forward),
        layers=dense_plan(dense, sizes.feed_forward),
        loadable=not dense,
    )


CONFIG = Config(
    model_type="qwen3_moe",
    summary="Qwen3-30B-A3B, Qwen3-235B-A22B, Qwen3-Coder",
    source=transformers("qwen3_moe"),
    read=read,
)
