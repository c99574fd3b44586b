"""MXFP4: four-bit floats in groups of 32 with a shared exponent."""

from __future__ import annotations

from memfit.model.configs._section import Section
from memfit.model.quantizations._method import Method, kept
from memfit.model.quantizations._quantization import Quantization, Weights

GROUP = 32  # OCP Microscaling Formats (MX) Specification 1.0, the block size k of MXFP4


def read(config: Section) -> Quantization:
    """The fields of ``Mxfp4Config``.

    Raises:
        Malformed: a field is of the wrong kind.
    """
    return Quantization(
        method="mxfp4",
        weights=(Weights(bits=4, kind="float", strategy="group", group_size=GROUP),),
        kept_modules=kept(config, "modules_to_not_convert"),
    )


METHOD = Method(
    name="mxfp4",
    summary="four-bit floats, a shared exponent for 32 of them",
    source="transformers 5.23.0 utils/quantization_config.py, Mxfp4Config",
    read=read,
)
