"""Phi-1, Phi-1.5 and Phi-2: biases everywhere."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._section import Section
from memfit.model.configs._text import read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """Attention and feed-forward in parallel behind one norm.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(config, layers=24, width=2048, feed_forward=8192, heads=32, vocabulary=51200, context=2048)
    norms = config.flag("qk_layernorm")
    length = sizes.width // sizes.heads
    more = (
        (f"blk.{index}.{name}_norm.{kind}", (length,))
        for index in range(sizes.layers if norms else 0)
        for name in ("attn_q", "attn_k")
        for kind in ("weight", "bias")
    )
    return text(config, "phi2", sizes.metadata(), tied=tied(config, default=False), more=more, loadable=not norms)


CONFIG = Config(
    model_type="phi",
    summary="Phi-1, Phi-1.5, Phi-2",
    source=transformers("phi"),
    read=read,
)
