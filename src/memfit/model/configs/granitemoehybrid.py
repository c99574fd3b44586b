"""Granite 4 hybrid: Mamba 2 with some attention layers, each with experts and a shared one, or with that alone."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    attention_biases,
    experts,
    layer_types,
)
from memfit.model.configs._section import Section
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
    sizes = read_sizes(config, layers=32, width=4096, feed_forward=11008, heads=32, vocabulary=32000, context=2048)
    known = ("linear_attention", "full_attention")
    types = layer_types(config, "layer_types", "layers_block_type", count=sizes.layers, known=known)
    count, used = experts(config, "num_local_experts", default=8, active=2, least=0)
    shared = config.integer("shared_intermediate_size", default=1024)
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
    metadata["attention.head_count_kv"] = [
        sizes.kv_heads if types and types[index] == "full_attention" else 0 for index in range(sizes.layers)
    ]
    if count:
        metadata |= {"expert_count": count, "expert_used_count": used, "expert_shared_feed_forward_length": shared}
    else:
        metadata["feed_forward_length"] = shared
    biases = (*attention_biases(config), *state_biases(config, "mamba_proj_bias"))
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
    model_type="granitemoehybrid",
    summary="Granite 4.0 H",
    source=transformers("granitemoehybrid"),
    read=read,
)
