"""MiniCPM: the graph of Llama with scaled embeddings and residuals; its code comes with the model."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config
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
    sizes = read_sizes(config, layers=32, width=4096, feed_forward=11008, heads=32, vocabulary=32000, context=2048)
    return text(
        config,
        "minicpm",
        sizes.metadata(rope__dimension_count=sizes.head),
        tied=tied(config, default=True),
        tokenizer="llama",
        biases=attention_biases(config),
    )


CONFIG = Config(
    model_type="minicpm",
    summary="MiniCPM 1B and 2B",
    source="configuration_minicpm.py and modeling_minicpm.py of openbmb/MiniCPM-2B-sft-bf16",
    read=read,
)
