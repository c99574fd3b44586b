"""EXL3: trellis codes of one to eight bits, fractions between layers."""

from __future__ import annotations

from memfit.model.configs._section import Section
from memfit.model.quantizations._method import Method
from memfit.model.quantizations._quantization import Quantization, Weights


def read(config: Section) -> Quantization:
    """The average bits; how they are spread stands in the files alone.

    Raises:
        Malformed: a field is of the wrong kind or out of bounds.
    """
    bits = config.number("bits", 0.0, most=8.0)
    if bits < 1:
        raise config.malformed("bits", "is missing, or less than 1")
    return Quantization(method="exl3", weights=(Weights(bits=bits, kind="int"),))


METHOD = Method(
    name="exl3",
    summary="trellis codes of one to eight bits",
    source="exllamav3/conversion/quant_config.py (exllamav3 8962e94a2)",
    read=read,
)
