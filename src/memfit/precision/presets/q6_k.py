"""Every matrix as Q6_K."""

from memfit.precision._preset import Preset, Quality

PRESET = Preset(
    name="Q6_K",
    file_type=18,
    base="Q6_K",
    summary="6-bit throughout",
    quality=Quality(perplexity=6.253382, kl_divergence=0.005452),
)
