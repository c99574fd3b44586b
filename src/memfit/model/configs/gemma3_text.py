"""Gemma 3: five window layers to one of full attention."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    attention_biases,
    window_types,
    windows,
)
from memfit.model.configs._section import Section
from memfit.model.configs._text import read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """Windows as the config lists them, or in all layers but every sixth.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(
        config,
        layers=26,
        width=2304,
        feed_forward=9216,
        heads=8,
        kv_heads=4,
        head=256,
        vocabulary=262208,
        context=131072,
    )
    pattern = window_types(
        config, sizes.layers, period=config.integer("sliding_window_pattern", "_sliding_window_pattern", default=6)
    )
    metadata = sizes.metadata() | windows(pattern)
    if any(pattern):
        metadata["attention.sliding_window"] = config.integer("sliding_window", default=4096)
    return text(
        config, "gemma3", metadata, tied=tied(config, default=True), tokenizer="llama", biases=attention_biases(config)
    )


CONFIG = Config(
    model_type="gemma3_text",
    summary="Gemma 3 1B, the text half of the others",
    source=transformers("gemma3"),
    read=read,
)
