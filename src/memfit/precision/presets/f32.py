"""Every matrix as 32-bit floats."""

from memfit.precision._preset import Preset

PRESET = Preset(
    name="F32",
    file_type=0,
    base="F32",
    summary="all 32-bit floats",
    aliases=("all F32", "FP32"),
)
