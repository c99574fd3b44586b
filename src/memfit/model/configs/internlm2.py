"""InternLM2: the blocks of Llama; its code comes with the model."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config
from memfit.model.configs._section import Section
from memfit.model.configs._text import read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """Full attention and a gated feed-forward in every layer.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(config, layers=32, width=4096, feed_forward=11008, heads=32, vocabulary=103168, context=2048)
    return text(
        config,
        "internlm2",
        sizes.metadata(rope__dimension_count=sizes.head),
        tied=tied(config, default=False),
        tokenizer="llama",
        biases=("attn_q", "attn_k", "attn_v", "attn_output") if config.flag("bias") else (),
    )


CONFIG = Config(
    model_type="internlm2",
    summary="InternLM2, InternLM2.5",
    source="configuration_internlm2.py and modeling_internlm2.py of internlm/internlm2-1_8b",
    read=read,
)
