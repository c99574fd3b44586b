"""Every matrix as brain floats, as most models are published."""

from memfit.precision._preset import Preset

PRESET = Preset(
    name="BF16",
    file_type=32,
    base="BF16",
    summary="16-bit floats with the exponent of F32",
    aliases=("bfloat16",),
)
