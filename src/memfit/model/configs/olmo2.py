"""OLMo 2: norms behind each half and over all heads at once."""

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
    sizes = read_sizes(config, layers=32, width=4096, feed_forward=11008, heads=32, vocabulary=50304, context=2048)
    return text(config, "olmo2", sizes.metadata(), tied=tied(config, default=False), biases=attention_biases(config))


CONFIG = Config(
    model_type="olmo2",
    summary="OLMo 2",
    source=transformers("olmo2"),
    read=read,
)
