"""GPTQ: two to eight bits in groups, packed into words, with the group of each input where inputs were ordered."""

from __future__ import annotations

from memfit.model.configs._section import Section
from memfit.model.quantizations._method import Method, grouping, kept, whole_bits
from memfit.model.quantizations._quantization import Quantization, Weights


def read(config: Section) -> Quantization:
    """The fields of ``GPTQConfig``.

    Raises:
        Malformed: a field is of the wrong kind or out of bounds.
    """
    strategy, size = grouping(config, "group_size")
    weights = Weights(
        bits=whole_bits(config, "bits", among=(2, 3, 4, 8)),
        kind="int",
        strategy=strategy,
        group_size=size,
        symmetric=config.flag("sym", default=True),
    )
    return Quantization(
        method="gptq",
        format=(config.text("checkpoint_format") or config.text("format", "gptq")).lower(),
        weights=(weights,),
        group_index=config.flag("desc_act"),
        kept_modules=kept(config, "modules_to_not_convert"),
    )


METHOD = Method(
    name="gptq",
    summary="W4A16 and its like: groups of two to eight bits",
    source="transformers 5.23.0 utils/quantization_config.py, GPTQConfig",
    read=read,
)
