"""Five bits in plain blocks; with an importance matrix the first feed-forwards get minimums too."""

from memfit.precision._preset import Preset, Quality, Rule

PRESET = Preset(
    name="Q5_0",
    file_type=8,
    base="Q5_0",
    summary="5-bit plain blocks",
    rules=(Rule("ffn_down", "Q5_1", lambda at: at.imatrix and at.first(8)),),
    quality=Quality(perplexity=6.363224, kl_divergence=0.022239),
)
