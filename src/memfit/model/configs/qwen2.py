"""Qwen2 and Qwen2.5: biases on query, key and value."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._section import Section
from memfit.model.configs._text import read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """Full attention and a gated feed-forward in every layer.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(
        config, layers=32, width=4096, feed_forward=22016, heads=32, kv_heads=32, vocabulary=151936, context=32768
    )
    return text(config, "qwen2", sizes.metadata(), tied=tied(config, default=False))


CONFIG = Config(
    model_type="qwen2",
    summary="Qwen2, Qwen2.5, DeepSeek-R1-Distill-Qwen",
    source=transformers("qwen2"),
    read=read,
)
