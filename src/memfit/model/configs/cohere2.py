"""Command R7B: three window layers to one of full attention."""

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
    """Windows as the config lists them, or in all layers but every fourth.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(config, layers=40, width=8192, feed_forward=22528, heads=64, vocabulary=256000, context=8192)
    pattern = window_types(config, sizes.layers, period=config.integer("sliding_window_pattern", default=4))
    metadata = sizes.metadata(attention__sliding_window=config.integer("sliding_window", default=4096)) | windows(
        pattern
    )
    return text(config, "cohere2", metadata, tied=tied(config, default=True), biases=attention_biases(config))


CONFIG = Config(
    model_type="cohere2",
    summary="Command R7B, Command A, Aya",
    source=transformers("cohere2"),
    read=read,
)
