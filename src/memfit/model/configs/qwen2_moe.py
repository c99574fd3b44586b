"""Qwen1.5-MoE and Qwen2-MoE: experts beside a gated one that every token uses."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
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
        config, layers=24, width=2048, feed_forward=5632, heads=16, kv_heads=16, vocabulary=151936, context=32768
    )
    count, used = experts(config, "num_experts", "num_local_experts", default=60, active=4, least=0)
    dense = dense_layers(config, sizes.layers, count)
    metadata = sizes.metadata(
        expert_count=max(count, 1),
        expert_used_count=min(used, max(count, 1)),
        expert_feed_forward_length=config.integer("moe_intermediate_size", default=1408),
        expert_shared_feed_forward_length=config.integer("shared_expert_intermediate_size", default=5632),
    )
    return text(
        config,
        "qwen2moe",
        metadata,
        tied=tied(config, default=False),
        absent=() if config.flag("qkv_bias", default=True) else ("attn_q.bias", "attn_k.bias", "attn_v.bias"),
        adjust=densify(dense, sizes.width, sizes.feed_forward),
        layers=dense_plan(dense, sizes.feed_forward),
        loadable=not dense,
    )


CONFIG = Config(
    model_type="qwen2_moe",
    summary="Qwen1.5-MoE, Qwen2-57B-A14B",
    source=transformers("qwen2_moe"),
    read=read,
)
