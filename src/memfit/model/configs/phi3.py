"""Phi-3 and Phi-4: query, key and value in one matrix, gate and up in another."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    rope_type,
)
from memfit.model.configs._section import Section
from memfit.model.configs._text import read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """Full attention and a gated feed-forward in every layer.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(config, layers=32, width=3072, feed_forward=8192, heads=32, vocabulary=32064, context=4096)
    share = config.number("partial_rotary_factor", 1.0, most=1.0)
    metadata = sizes.metadata(rope__dimension_count=int(sizes.head * share))
    stretched = rope_type(config) in ("longrope", "su")
    optional = ("rope_factors_long", "rope_factors_short") if stretched else ()
    return text(config, "phi3", metadata, tied=tied(config, default=False), tokenizer="llama", optional=optional)


CONFIG = Config(
    model_type="phi3",
    summary="Phi-3, Phi-3.5, Phi-4, Phi-4-mini",
    source=transformers("phi3"),
    read=read,
)
