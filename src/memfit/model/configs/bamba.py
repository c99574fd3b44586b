"""Bamba: Mamba 2 with some attention layers, each with a gated feed-forward."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    GATED,
    attention_biases,
)
from memfit.model.configs._section import MOST_LAYERS, Section
from memfit.model.configs._state import (
    inner_size,
    mamba2_fields,
    no_convolution_bias,
    state_biases,
)
from memfit.model.configs._text import read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """A state or a KV cache in every layer.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(
        config, layers=32, width=4096, feed_forward=14336, heads=32, kv_heads=8, vocabulary=128000, context=262144
    )
    attention = frozenset(config.integers("attn_layer_indices", most=MOST_LAYERS) or ())
    mixer = mamba2_fields(
        config,
        inner=inner_size(config, "mamba_expand", sizes.width),
        heads=("mamba_n_heads", 128),
        head=("mamba_d_head", None),
        groups=("mamba_n_groups", 1),
        state=("mamba_d_state", 256),
        taps=("mamba_d_conv", 4),
    )
    metadata = sizes.metadata(**mixer)
    metadata["attention.head_count_kv"] = [sizes.kv_heads if index in attention else 0 for index in range(sizes.layers)]
    biases = (
        *attention_biases(config),
        *(GATED if config.flag("mlp_bias") else ()),
        *state_biases(config, "mamba_proj_bias"),
    )
    absent = no_convolution_bias(config, "mamba_conv_bias")
    return text(
        config,
        "granitehybrid",
        metadata,
        tied=tied(config, default=False),
        biases=biases,
        absent=absent,
        loadable=not biases and not absent,
    )


CONFIG = Config(
    model_type="bamba",
    summary="Bamba 9B",
    source=transformers("bamba"),
    read=read,
)
