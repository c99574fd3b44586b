"""Gemma 2: every other layer looks at a window."""

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
    """A window in every second layer, norms before and after each half.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(
        config, layers=26, width=2304, feed_forward=9216, heads=8, kv_heads=4, head=256, vocabulary=256000, context=8192
    )
    window = config.integer("sliding_window", default=4096)
    metadata = sizes.metadata(attention__sliding_window=window) | windows(window_types(config, sizes.layers, period=2))
    return text(
        config, "gemma2", metadata, tied=tied(config, default=True), tokenizer="llama", biases=attention_biases(config)
    )


CONFIG = Config(
    model_type="gemma2",
    summary="Gemma 2",
    source=transformers("gemma2"),
    read=read,
)
