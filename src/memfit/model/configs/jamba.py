"""Jamba: Mamba with an attention layer in eight, experts in every second layer."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    experts,
)
from memfit.model.configs._section import Section
from memfit.model.configs._state import (
    no_convolution_bias,
    state_biases,
    time_step_rank,
)
from memfit.model.configs._text import read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """A state or a KV cache, and experts or a feed-forward, in every layer.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(
        config, layers=32, width=4096, feed_forward=14336, heads=32, kv_heads=8, vocabulary=65536, context=262144
    )
    attention = _places(config, "attn_layer", 8, 4)
    routed = _places(config, "expert_layer", 2, 1)
    count, used = experts(config, "num_experts", "num_local_experts", default=16, active=2)
    metadata = sizes.metadata(
        ssm__conv_kernel=config.integer("mamba_d_conv", default=4),
        ssm__inner_size=config.integer("mamba_expand", default=2) * sizes.width,
        ssm__state_size=config.integer("mamba_d_state", default=16),
        ssm__time_step_rank=time_step_rank(config, "mamba_dt_rank", sizes.width),
        expert_count=count,
        expert_used_count=used,
    )
    metadata["attention.head_count_kv"] = [
        sizes.kv_heads if index % attention[0] == attention[1] else 0 for index in range(sizes.layers)
    ]
    optional = ["token_embd.weight"]  # so that the architecture asks which layers have a router
    optional += [
        f"blk.{index}.ffn_gate_inp.weight"
        for index in range(sizes.layers)
        if count > 1 and index % routed[0] == routed[1]
    ]
    biases, absent = state_biases(config, "mamba_proj_bias"), no_convolution_bias(config, "mamba_conv_bias")
    return text(
        config,
        "jamba",
        metadata,
        tied=tied(config, default=False),
        tokenizer="llama",
        optional=optional,
        biases=biases,
        absent=absent,
        loadable=not biases and not absent,
    )


def _places(config: Section, name: str, period: int, offset: int) -> tuple[int, int]:
    """Period and offset of the layers of one kind."""
    period = config.integer(f"{name}_period", default=period)
    offset = config.integer(f"{name}_offset", default=offset, least=0)
    if offset >= period:
        raise config.malformed(f"{name}_offset", f"is {offset}, no less than {name}_period {period}")
    return period, offset


CONFIG = Config(
    model_type="jamba",
    summary="Jamba, Jamba 1.5 Mini and Large, Jamba Reasoning 3B",
    source=transformers("jamba"),
    read=read,
)
