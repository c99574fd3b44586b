"""Ministral 3: the graph of Llama with an attention temperature."""

from __future__ import annotations

from memfit.model.configs import mistral3
from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._section import Section
from memfit.model.configs._text import read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """Full attention and a gated feed-forward in every layer.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    if config.has("text_config"):
        # the released vision models give their text half's type for the whole
        return mistral3.read(config)
    sizes = read_sizes(
        config,
        layers=34,
        width=4096,
        feed_forward=14336,
        heads=32,
        kv_heads=8,
        head=128,
        vocabulary=131072,
        context=262144,
    )
    return text(config, "mistral3", sizes.metadata(rope__dimension_count=sizes.head), tied=tied(config, default=False))


CONFIG = Config(
    model_type="ministral3",
    summary="Ministral 3, its vision models too",
    source=transformers("ministral3"),
    read=read,
)
