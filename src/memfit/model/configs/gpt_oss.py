"""gpt-oss: every other layer looks at a window, attention sinks, experts with biases."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    ATTENTION,
    experts,
    window_types,
    windows,
)
from memfit.model.configs._section import Section
from memfit.model.configs._text import read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """Experts in every layer.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(
        config,
        layers=36,
        width=2880,
        feed_forward=2880,
        heads=64,
        kv_heads=8,
        head=64,
        vocabulary=201088,
        context=131072,
    )
    count, used = experts(config, "num_local_experts", "num_experts", default=128, active=4)
    metadata = sizes.metadata(
        expert_count=count,
        expert_used_count=used,
        expert_feed_forward_length=sizes.feed_forward,
        attention__sliding_window=config.integer("sliding_window", default=128),
    ) | windows(window_types(config, sizes.layers, period=2))
    attention = config.flag("attention_bias", default=True)
    return text(
        config,
        "gpt-oss",
        metadata,
        tied=tied(config, default=False),
        absent=() if attention else tuple(f"{name}.bias" for name in ATTENTION),
        loadable=attention,
    )


CONFIG = Config(
    model_type="gpt_oss",
    summary="gpt-oss 20B and 120B",
    source=transformers("gpt_oss"),
    read=read,
)
