"""Gemma 1: wide heads."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    attention_biases,
)
from memfit.model.configs._section import Section
from memfit.model.configs._text import read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """Full attention and a gated feed-forward in every layer.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(
        config,
        layers=28,
        width=3072,
        feed_forward=24576,
        heads=16,
        kv_heads=16,
        head=256,
        vocabulary=256000,
        context=8192,
    )
    return text(
        config,
        "gemma",
        sizes.metadata(),
        tied=tied(config, default=True),
        tokenizer="llama",
        biases=attention_biases(config),
    )


CONFIG = Config(
    model_type="gemma",
    summary="Gemma 2B and 7B, CodeGemma",
    source=transformers("gemma"),
    read=read,
)
