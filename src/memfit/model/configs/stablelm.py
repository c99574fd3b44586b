"""StableLM: layer norms with biases."""

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
        config, layers=32, width=2560, feed_forward=6912, heads=32, kv_heads=32, vocabulary=50304, context=4096
    )
    biased, per_head, parallel = (
        config.flag("use_qkv_bias"),
        config.flag("qk_layernorm"),
        config.flag("use_parallel_residual"),
    )
    more = (
        (f"blk.{index}.ffn_norm.{kind}", (sizes.width,))
        for index in range(sizes.layers if per_head and not parallel else 0)
        for kind in ("weight", "bias")
    )
    return text(
        config,
        "stablelm",
        sizes.metadata(),
        tied=tied(config, default=False),
        optional=("attn_q_norm",) if per_head else (),
        biases=("attn_q", "attn_k", "attn_v") if biased else (),
        absent=("ffn_norm.weight", "ffn_norm.bias") if parallel else (),
        more=more,
        loadable=per_head == parallel,
    )


CONFIG = Config(
    model_type="stablelm",
    summary="StableLM 3B, StableLM 2",
    source=transformers("stablelm"),
    read=read,
)
