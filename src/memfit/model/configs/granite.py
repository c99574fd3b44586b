"""Granite: the graph of Llama with scaled embeddings, residuals, attention and logits."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    GATED,
    attention_biases,
)
from memfit.model.configs._section import Section
from memfit.model.configs._text import read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """Full attention and a gated feed-forward in every layer.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(config, layers=32, width=4096, feed_forward=11008, heads=32, vocabulary=32000, context=2048)
    return text(
        config,
        "granite",
        sizes.metadata(rope__dimension_count=sizes.head),
        tied=tied(config, default=False),
        biases=(*attention_biases(config), *(GATED if config.flag("mlp_bias") else ())),
    )


CONFIG = Config(
    model_type="granite",
    summary="Granite 3 dense, Granite 4 dense",
    source=transformers("granite"),
    read=read,
)
