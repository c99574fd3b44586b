"""NVIDIA FP4 as converters of published checkpoints write it; the quantizer has no such preset."""

from memfit.precision._preset import Preset

PRESET = Preset(
    name="NVFP4",
    file_type=39,
    base="NVFP4",
    summary="4-bit floats, written by converters only",
    recipe=False,
)
