"""FBGEMM FP8: eight-bit floats with a scale for each output channel."""

from __future__ import annotations

from memfit.model.configs._section import Section
from memfit.model.quantizations._method import Method, kept
from memfit.model.quantizations._quantization import Quantization, Weights


def read(config: Section) -> Quantization:
    """The fields of ``FbgemmFp8Config``.

    Raises:
        Malformed: a field is of the wrong kind.
    """
    return Quantization(
        method="fbgemm_fp8",
        weights=(Weights(bits=8, kind="float", strategy="channel", activation_bits=8),),
        kept_modules=kept(config, "modules_to_not_convert"),
    )


METHOD = Method(
    name="fbgemm_fp8",
    summary="eight-bit floats, scaled by output channel",
    source="transformers 5.23.0 utils/quantization_config.py, FbgemmFp8Config",
    read=read,
)
