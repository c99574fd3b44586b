"""Mixtral: the graph of Llama with experts."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    experts,
)
from memfit.model.configs._section import Section
from memfit.model.configs._text import read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """Experts as wide as the feed-forward, in every layer.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(
        config, layers=32, width=4096, feed_forward=14336, heads=32, kv_heads=8, vocabulary=32000, context=131072
    )
    count, used = experts(config, "num_local_experts", "num_experts", default=8, active=2)
    metadata = sizes.metadata(expert_count=count, expert_used_count=used, rope__dimension_count=sizes.head)
    return text(config, "llama", metadata, tied=tied(config, default=False), tokenizer="llama")


CONFIG = Config(
    model_type="mixtral",
    summary="Mixtral 8x7B and 8x22B",
    source=transformers("mixtral"),
    read=read,
)
