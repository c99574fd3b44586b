"""Phi-3.5-MoE: experts as wide as the feed-forward."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    ATTENTION,
    experts,
    rope_type,
)
from memfit.model.configs._section import Section
from memfit.model.configs._text import read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """Experts in every layer, biases on norms.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(
        config, layers=32, width=4096, feed_forward=6400, heads=32, kv_heads=8, vocabulary=32064, context=131072
    )
    count, used = experts(config, "num_local_experts", "num_experts", default=16, active=2)
    attention, output = config.flag("attention_bias"), config.flag("lm_head_bias")
    absent = (
        *(() if attention else (f"{name}.bias" for name in ATTENTION)),
        *(() if output else ("output.bias",)),
    )
    stretched = rope_type(config) == "longrope"
    return text(
        config,
        "phimoe",
        sizes.metadata(expert_count=count, expert_used_count=used, rope__dimension_count=sizes.head),
        tied=tied(config, default=False),
        tokenizer="llama",
        optional=("rope_factors_long", "rope_factors_short") if stretched else (),
        absent=absent,
        loadable=attention and output,
    )


CONFIG = Config(
    model_type="phimoe",
    summary="Phi-3.5-MoE",
    source=transformers("phimoe"),
    read=read,
)
