"""The text half of Qwen3.5: gated delta nets with one attention layer in four."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._delta import delta_net, delta_net_adjust, delta_types, is_even, with_next_token
from memfit.model.configs._fields import (
    attention_biases,
)
from memfit.model.configs._section import Section
from memfit.model.configs._text import read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """A state or a KV cache, and a gated feed-forward, in every layer.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(
        config,
        layers=32,
        width=4096,
        feed_forward=12288,
        heads=16,
        kv_heads=4,
        head=256,
        vocabulary=248320,
        context=32768,
    )
    types = delta_types(config, sizes.layers)
    return text(
        config,
        "qwen35",
        with_next_token(config, sizes.metadata(**delta_net(config, types))),
        tied=tied(config, default=False),
        biases=attention_biases(config),
        adjust=delta_net_adjust(config, sizes.width),
        loadable=is_even(config),
    )


CONFIG = Config(
    model_type="qwen3_5_text",
    summary="the text half of Qwen3.5 dense",
    source=transformers("qwen3_5"),
    read=read,
)
