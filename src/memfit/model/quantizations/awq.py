"""AWQ: four-bit groups with zero points, packed eight to a word."""

from __future__ import annotations

from memfit.model.configs._section import Section
from memfit.model.quantizations._method import Method, grouping, kept, whole_bits
from memfit.model.quantizations._quantization import Quantization, Weights


def read(config: Section) -> Quantization:
    """The fields of ``AwqConfig``; the first releases call them ``w_bit`` and ``q_group_size``.

    Raises:
        Malformed: a field is of the wrong kind or out of bounds.
    """
    strategy, size = grouping(config, "group_size", "q_group_size")
    weights = Weights(
        bits=whole_bits(config, "bits", "w_bit", default=4, among=(4, 8)),
        kind="int",
        strategy=strategy,
        group_size=size,
        symmetric=not config.flag("zero_point", default=True),
    )
    return Quantization(
        method="awq",
        format=(config.text("version") or config.text("format", "gemm")).lower(),
        weights=(weights,),
        kept_modules=kept(config, "modules_to_not_convert"),
    )


METHOD = Method(
    name="awq",
    summary="W4A16: four-bit groups with scales and zero points",
    source="transformers 5.23.0 utils/quantization_config.py, AwqConfig",
    read=read,
)
