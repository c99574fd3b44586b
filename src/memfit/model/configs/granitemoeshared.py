"""Granite with experts beside one that every token uses."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    attention_biases,
    experts,
)
from memfit.model.configs._section import Section
from memfit.model.configs._text import read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """Experts as wide as the feed-forward, in every layer.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(config, layers=32, width=4096, feed_forward=11008, heads=32, vocabulary=32000, context=2048)
    count, used = experts(config, "num_local_experts", default=8, active=2)
    metadata = sizes.metadata(expert_count=count, expert_used_count=used, rope__dimension_count=sizes.head)
    shared = config.integer("shared_intermediate_size", default=0, least=0)
    if shared:
        metadata["expert_shared_feed_forward_length"] = shared
    return text(config, "granitemoe", metadata, tied=tied(config, default=False), biases=attention_biases(config))


CONFIG = Config(
    model_type="granitemoeshared",
    summary="Granite 3 MoE with a shared expert",
    source=transformers("granitemoeshared"),
    read=read,
)
