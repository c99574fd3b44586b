"""Command R: attention and feed-forward in parallel behind one norm."""

from __future__ import annotations

from memfit.model.architectures.command_r import HEAD_NORM_LAYERS
from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
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
    sizes = read_sizes(config, layers=40, width=8192, feed_forward=22528, heads=64, vocabulary=256000, context=8192)
    norms, expected = config.flag("use_qk_norm"), sizes.layers >= HEAD_NORM_LAYERS
    more = (
        (f"blk.{index}.attn_{kind}_norm.weight", (sizes.head, heads))
        for index in range(sizes.layers if norms and not expected else 0)
        for kind, heads in (("q", sizes.heads), ("k", sizes.kv_heads))
    )
    return text(
        config,
        "command-r",
        sizes.metadata(),
        tied=tied(config, default=True),
        biases=attention_biases(config),
        absent=() if norms else ("attn_q_norm.weight", "attn_k_norm.weight"),
        more=more,
        loadable=norms == expected,
    )


CONFIG = Config(
    model_type="cohere",
    summary="Command R, Command R+, Aya 23",
    source=transformers("cohere"),
    read=read,
)
