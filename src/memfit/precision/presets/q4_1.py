"""Four bits in plain blocks with minimums."""

from memfit.precision._preset import Preset, Quality

PRESET = Preset(
    name="Q4_1",
    file_type=3,
    base="Q4_1",
    summary="4-bit plain blocks with minimums",
    quality=Quality(perplexity=6.682737, kl_divergence=0.071683),
)
