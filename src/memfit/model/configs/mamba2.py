"""Mamba 2: nothing but state-space layers with heads and groups."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._section import MOST_LAYERS, Section
from memfit.model.configs._state import (
    ANY_CONTEXT_TOKENS,
    inner_size,
    mamba2_fields,
    no_convolution_bias,
    state_biases,
)
from memfit.model.configs._text import text, tied


def read(config: Section) -> Checkpoint:
    """A state in every layer, no KV cache and no feed-forward.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    width = config.integer("hidden_size", default=4096)
    inner = inner_size(config, "expand", width)
    mixer = mamba2_fields(
        config,
        inner=inner,
        heads=("num_heads", 128),
        head=("head_dim", 64),
        groups=("n_groups", 8),
        state=("state_size", 128),
        taps=("conv_kernel", 4),
    )
    metadata = {
        "context_length": ANY_CONTEXT_TOKENS,
        "embedding_length": width,
        "block_count": config.integer("num_hidden_layers", default=64, most=MOST_LAYERS),
        "feed_forward_length": 0,
        "attention.head_count": 0,
        "vocab_size": config.integer("vocab_size", default=32768),
        **{key.replace("__", "."): value for key, value in mixer.items()},
    }
    return text(
        config,
        "mamba2",
        metadata,
        tied=tied(config, default=False),
        biases=state_biases(config, "use_bias"),
        absent=no_convolution_bias(config, "use_conv_bias"),
    )


CONFIG = Config(
    model_type="mamba2",
    summary="Mamba 2, Mamba-Codestral",
    source=transformers("mamba2"),
    read=read,
)
