"""Falcon-H1: attention and a Mamba 2 mixer side by side in every layer."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    GATED,
    attention_biases,
)
from memfit.model.configs._section import Section
from memfit.model.configs._state import (
    inner_size,
    mamba2_fields,
    no_convolution_bias,
)
from memfit.model.configs._text import read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """A KV cache and a state in every layer.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(
        config, layers=32, width=4096, feed_forward=14336, heads=32, kv_heads=8, vocabulary=128000, context=8192
    )
    stated = config.maybe("mamba_d_ssm", default=1024)
    inner = stated or inner_size(config, "mamba_expand", sizes.width)
    mixer = mamba2_fields(
        config,
        inner=inner,
        heads=("mamba_n_heads", 128),
        head=("mamba_d_head", None),
        groups=("mamba_n_groups", 1),
        state=("mamba_d_state", 256),
        taps=("mamba_d_conv", 4),
    )
    biases = (
        *attention_biases(config),
        *(GATED if config.flag("mlp_bias") else ()),
        *(("ssm_in",) if config.flag("mamba_proj_bias") else ()),
        *(("ssm_out",) if config.flag("projectors_bias") else ()),
    )
    absent = no_convolution_bias(config, "mamba_conv_bias")
    return text(
        config,
        "falcon-h1",
        sizes.metadata(**mixer),
        tied=tied(config, default=False),
        optional=("ssm_norm",) if config.flag("mamba_rms_norm") else (),
        biases=biases,
        absent=absent,
        loadable=not biases and not absent,
    )


CONFIG = Config(
    model_type="falcon_h1",
    summary="Falcon-H1, Falcon-H1R, Falcon-H1-Tiny",
    source=transformers("falcon_h1"),
    read=read,
)
