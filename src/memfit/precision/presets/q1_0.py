"""Sign bits under one scale, for models trained so."""

from memfit.precision._preset import Preset

PRESET = Preset(
    name="Q1_0",
    file_type=40,
    base="Q1_0",
    summary="1-bit, output Q6_K",
)
