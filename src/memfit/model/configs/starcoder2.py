"""StarCoder2: grouped-query attention with biases."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    ATTENTION,
)
from memfit.model.configs._section import Section
from memfit.model.configs._text import read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """Full attention and a plain feed-forward in every layer.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(
        config, layers=30, width=3072, feed_forward=12288, heads=24, kv_heads=2, vocabulary=49152, context=4096
    )
    biased = config.flag("use_bias", default=True)
    return text(
        config,
        "starcoder2",
        sizes.metadata(),
        tied=tied(config, default=True),
        absent=() if biased else tuple(f"{name}.bias" for name in (*ATTENTION, "ffn_up", "ffn_down")),
        loadable=biased,
    )


CONFIG = Config(
    model_type="starcoder2",
    summary="StarCoder2",
    source=transformers("starcoder2"),
    read=read,
)
