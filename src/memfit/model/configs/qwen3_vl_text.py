"""The text half of Qwen3-VL."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    attention_biases,
)
from memfit.model.configs._section import Section
from memfit.model.configs._text import read_sizes, text, tied
from memfit.model.configs._vision_qwen import deepstack


def read(config: Section) -> Checkpoint:
    """Full attention and a gated feed-forward in every layer.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(
        config,
        layers=32,
        width=4096,
        feed_forward=22016,
        heads=32,
        kv_heads=32,
        head=128,
        vocabulary=151936,
        context=128000,
    )
    return text(
        config,
        "qwen3vl",
        sizes.metadata(**deepstack(config)),
        tied=tied(config, default=False),
        biases=attention_biases(config),
    )


CONFIG = Config(
    model_type="qwen3_vl_text",
    summary="the text half of Qwen3-VL",
    source=transformers("qwen3_vl"),
    read=read,
)
