"""Nemotron and Minitron: layer norms with biases, squared ReLU without a gate."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    attention_biases,
)
from memfit.model.configs._section import Section
from memfit.model.configs._text import read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """Full attention and a plain feed-forward in every layer.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(config, layers=32, width=6144, feed_forward=24576, heads=48, vocabulary=256000, context=4096)
    share = config.number("partial_rotary_factor", config.number("rope_percent", 0.5, most=1.0), most=1.0)
    return text(
        config,
        "nemotron",
        sizes.metadata(rope__dimension_count=int(sizes.head * share)),
        tied=tied(config, default=False),
        biases=(*attention_biases(config), *(("ffn_up", "ffn_down") if config.flag("mlp_bias") else ())),
    )


CONFIG = Config(
    model_type="nemotron",
    summary="Nemotron-Mini, Minitron, Nemotron-4",
    source=transformers("nemotron"),
    read=read,
)
