"""AutoRound: groups of two to eight bits, packed as GPTQ or AWQ pack them."""

from __future__ import annotations

from memfit.model.configs._section import Section
from memfit.model.quantizations._method import Method, grouping, kept, whole_bits
from memfit.model.quantizations._quantization import Quantization, Weights


def read(config: Section) -> Quantization:
    """The fields of ``AutoRoundConfig``.

    Raises:
        Malformed: a field is of the wrong kind or out of bounds.
    """
    strategy, size = grouping(config, "group_size")
    weights = Weights(
        bits=whole_bits(config, "bits", default=4, among=(2, 3, 4, 8)),
        kind="int",
        strategy=strategy,
        group_size=size,
        symmetric=config.flag("sym", default=True),
    )
    return Quantization(
        method="auto-round",
        format=config.text("packing_format", "auto_round:gptq"),
        weights=(weights,),
        kept_modules=kept(config, "modules_to_not_convert"),
    )


METHOD = Method(
    name="auto-round",
    summary="groups of two to eight bits with rounding that was learned",
    source="transformers 5.23.0 utils/quantization_config.py, AutoRoundConfig",
    read=read,
    aliases=("intel/auto-round",),
)
