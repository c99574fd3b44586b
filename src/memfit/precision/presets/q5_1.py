"""Five bits in plain blocks with minimums."""

from memfit.precision._preset import Preset, Quality

PRESET = Preset(
    name="Q5_1",
    file_type=9,
    base="Q5_1",
    summary="5-bit plain blocks with minimums",
    quality=Quality(perplexity=6.337857, kl_divergence=0.018045),
)
