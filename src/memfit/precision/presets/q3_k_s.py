"""Three bits throughout."""

from memfit.precision._preset import EIGHT_EXPERTS_OUTPUT, Preset, Quality

PRESET = Preset(
    name="Q3_K_S",
    file_type=11,
    base="Q3_K",
    summary="3-bit throughout",
    aliases=("Q3_K - Small",),
    rules=(EIGHT_EXPERTS_OUTPUT,),
    quality=Quality(perplexity=7.863786, kl_divergence=0.228217),
    quality_imatrix=Quality(perplexity=7.602878, kl_divergence=0.199821),
)
