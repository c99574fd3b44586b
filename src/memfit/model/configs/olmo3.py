"""OLMo 3: OLMo 2 with three window layers to one of full attention."""

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
    sizes = read_sizes(config, layers=32, width=4096, feed_forward=11008, heads=32, vocabulary=50304, context=2048)
    pattern = window_types(config, sizes.layers, period=4)
    metadata = sizes.metadata() | windows(pattern)
    if any(pattern):
        metadata["attention.sliding_window"] = config.integer("sliding_window", default=4096)
    return text(config, "olmo2", metadata, tied=tied(config, default=False), biases=attention_biases(config))


CONFIG = Config(
    model_type="olmo3",
    summary="OLMo 3",
    source=transformers("olmo3"),
    read=read,
)
