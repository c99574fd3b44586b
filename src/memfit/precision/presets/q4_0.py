"""Four bits in plain blocks; with an importance matrix the first feed-forwards get minimums too."""

from memfit.precision._preset import Preset, Quality, Rule

PRESET = Preset(
    name="Q4_0",
    file_type=2,
    base="Q4_0",
    summary="4-bit plain blocks",
    rules=(Rule("ffn_down", "Q4_1", lambda at: at.imatrix and at.first(8)),),
    quality=Quality(perplexity=6.700147, kl_divergence=0.07194),
)
