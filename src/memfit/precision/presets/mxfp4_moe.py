"""Experts as MXFP4 and everything else as Q8_0, as gpt-oss was trained."""

from memfit.precision._preset import Preset, Rule

PRESET = Preset(
    name="MXFP4_MOE",
    file_type=38,
    base="MXFP4",
    summary="experts 4-bit microscaling, the rest Q8_0",
    aliases=("MXFP4 MoE",),
    output="Q8_0",
    rules=(
        Rule(None, "MXFP4", lambda at: at.stacked),
        Rule(None, "Q8_0"),
    ),
    corrected=False,
)
