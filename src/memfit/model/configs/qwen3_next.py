"""Qwen3-Next: gated delta nets with one attention layer in four, and very many small experts."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._delta import delta_net, delta_net_adjust, delta_types, is_even
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
    """A state or a KV cache, and experts, in every layer.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(
        config,
        layers=48,
        width=2048,
        feed_forward=5632,
        heads=16,
        kv_heads=2,
        head=256,
        vocabulary=151936,
        context=32768,
    )
    types = delta_types(config, sizes.layers)
    count, used = experts(config, "num_experts", "num_local_experts", default=512, active=10, least=0)
    dense = dense_layers(config, sizes.layers, count)
    metadata = sizes.metadata(
        expert_count=max(count, 1),
        expert_used_count=min(used, max(count, 1)),
        expert_feed_forward_length=config.integer("moe_intermediate_size", default=512),
        expert_shared_feed_forward_length=config.integer("shared_expert_intermediate_size", default=512),
        **delta_net(config, types),
    )
    replace, uneven = densify(dense, sizes.width, sizes.feed_forward), delta_net_adjust(config, sizes.width)
    return text(
        config,
        "qwen3next",
        metadata,
        tied=tied(config, default=False),
        biases=attention_biases(config),
        adjust=lambda tensor: (each for kept in replace(tensor) for each in uneven(kept)),
        layers=dense_plan(dense, sizes.feed_forward),
        loadable=not dense and is_even(config),
    )


CONFIG = Config(
    model_type="qwen3_next",
    summary="Qwen3-Next, Qwen3-Coder-Next",
    source=transformers("qwen3_next"),
    read=read,
)
