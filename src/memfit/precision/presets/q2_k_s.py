"""Two bits nearly throughout; needs an importance matrix."""

from memfit.precision._preset import Preset, Quality, Rule

PRESET = Preset(
    name="Q2_K_S",
    file_type=21,
    base="Q2_K",
    summary="2-bit, few exceptions",
    aliases=("Q2_K - Small",),
    rules=(
        Rule("attention_v", "Q4_K", lambda at: at.grouped),
        Rule("ffn_down", "Q4_K", lambda at: at.first(8)),
    ),
    imatrix_formats=("Q2_K",),
    quality_imatrix=Quality(perplexity=9.323778, kl_divergence=0.40336),
)
