"""Five bits throughout."""

from memfit.precision._preset import Preset, Quality

PRESET = Preset(
    name="Q5_K_S",
    file_type=16,
    base="Q5_K",
    summary="5-bit throughout",
    aliases=("Q5_K - Small",),
    quality=Quality(perplexity=6.336598, kl_divergence=0.016595),
)
