"""The text half of Qwen2.5-VL."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._section import Section
from memfit.model.configs._text import read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """Full attention and a gated feed-forward in every layer.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(
        config, layers=80, width=8192, feed_forward=29568, heads=64, kv_heads=8, vocabulary=152064, context=32768
    )
    return text(config, "qwen2vl", sizes.metadata(), tied=tied(config, default=False))


CONFIG = Config(
    model_type="qwen2_5_vl_text",
    summary="the text half of Qwen2.5-VL",
    source=transformers("qwen2_5_vl"),
    read=read,
)
