"""Llama and what is built like it: biases where the config asks for them."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import ATTENTION, GATED, rope_type
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
        "llama",
        sizes.metadata(rope__dimension_count=sizes.head),
        tied=tied(config, default=False),
        optional=("rope_freqs",) if rope_type(config) == "llama3" else (),
        biases=(
            *(ATTENTION if config.flag("attention_bias") else ()),
            *(GATED if config.flag("mlp_bias") else ()),
        ),
    )


CONFIG = Config(
    model_type="llama",
    summary="Llama 1 to 3.3, TinyLlama, SmolLM2, and many others",
    source=transformers("llama"),
    read=read,
)
