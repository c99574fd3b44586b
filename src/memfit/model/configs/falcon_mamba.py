"""Falcon Mamba: Mamba 1 with norms that have no weights."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._section import MOST_LAYERS, Section
from memfit.model.configs._state import (
    ANY_CONTEXT_TOKENS,
    inner_size,
    no_convolution_bias,
    state_biases,
    time_step_rank,
)
from memfit.model.configs._text import text, tied


def read(config: Section) -> Checkpoint:
    """A state in every layer, no KV cache and no feed-forward.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    width = config.integer("hidden_size", default=768)
    metadata = {
        "context_length": ANY_CONTEXT_TOKENS,
        "embedding_length": width,
        "block_count": config.integer("num_hidden_layers", "n_layer", default=32, most=MOST_LAYERS),
        "feed_forward_length": 0,
        "attention.head_count": 0,
        "ssm.conv_kernel": config.integer("conv_kernel", default=4),
        "ssm.inner_size": inner_size(config, "expand", width),
        "ssm.state_size": config.integer("state_size", default=16),
        "ssm.time_step_rank": time_step_rank(config, "time_step_rank", width),
        "vocab_size": config.integer("vocab_size", default=50280),
    }
    return text(
        config,
        "mamba",
        metadata,
        tied=tied(config, default=True),
        biases=state_biases(config, "use_bias"),
        absent=no_convolution_bias(config, "use_conv_bias"),
    )


CONFIG = Config(
    model_type="falcon_mamba",
    summary="Falcon Mamba 7B",
    source=transformers("falcon_mamba"),
    read=read,
)
