"""Mistral: the graph of Llama without biases."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._section import Section
from memfit.model.configs._text import read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """Full attention; llama.cpp knows no window for it, whatever the config says.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(
        config, layers=32, width=4096, feed_forward=14336, heads=32, kv_heads=8, vocabulary=32000, context=131072
    )
    return text(config, "llama", sizes.metadata(rope__dimension_count=sizes.head), tied=tied(config, default=False))


CONFIG = Config(
    model_type="mistral",
    summary="Mistral 7B, Mistral Nemo, Mistral Small",
    source=transformers("mistral"),
    read=read,
    aliases=("ministral",),
)
