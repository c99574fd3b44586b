"""SmolLM3: the blocks of Llama, every fourth without a rotary embedding."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    GATED,
    attention_biases,
)
from memfit.model.configs._section import Section
from memfit.model.configs._text import read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """Full attention and a gated feed-forward in every layer.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(
        config, layers=36, width=2048, feed_forward=11008, heads=16, kv_heads=4, vocabulary=128256, context=32768
    )
    return text(
        config,
        "smollm3",
        sizes.metadata(rope__dimension_count=sizes.head),
        tied=tied(config, default=True),
        biases=(*attention_biases(config), *(GATED if config.flag("mlp_bias") else ())),
    )


CONFIG = Config(
    model_type="smollm3",
    summary="SmolLM3",
    source=transformers("smollm3"),
    read=read,
)
