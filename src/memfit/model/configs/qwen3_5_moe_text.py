"""The text half of Qwen3.5 with experts."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._delta import delta_net, delta_net_adjust, delta_types, is_even, with_next_token
from memfit.model.configs._fields import (
    attention_biases,
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
        config, layers=40, width=2048, feed_forward=0, heads=16, kv_heads=2, head=256, vocabulary=248320, context=32768
    )
    types = delta_types(config, sizes.layers)
    count, used = experts(config, "num_experts", "num_local_experts", default=256, active=8)
    metadata = sizes.metadata(
        expert_count=count,
        expert_used_count=used,
        expert_feed_forward_length=config.integer("moe_intermediate_size", default=512),
        expert_shared_feed_forward_length=config.integer("shared_expert_intermediate_size", default=512),
        **delta_net(config, types),
    )
    return text(
        config,
        "qwen35moe",
        with_next_token(config, metadata),
        tied=tied(config, default=False),
        biases=attention_biases(config),
        adjust=delta_net_adjust(config, sizes.width),
        loadable=is_even(config),
    )


CONFIG = Config(
    model_type="qwen3_5_moe_text",
    summary="the text half of Qwen3.5 with experts",
    source=transformers("qwen3_5_moe"),
    read=read,
)
