"""Granite with experts."""

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
    return text(config, "granitemoe", metadata, tied=tied(config, default=False), biases=attention_biases(config))


CONFIG = Config(
    model_type="granitemoe",
    summary="Granite 3 MoE",
    source=transformers("granitemoe"),
    read=read,
)
