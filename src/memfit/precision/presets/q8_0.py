"""Every matrix as Q8_0: nearly lossless."""

from memfit.precision._preset import Preset, Quality

PRESET = Preset(
    name="Q8_0",
    file_type=7,
    base="Q8_0",
    summary="8-bit throughout",
    output="Q8_0",
    quality=Quality(perplexity=6.234284, kl_divergence=0.001355),
)
