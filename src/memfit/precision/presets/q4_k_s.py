"""Four bits, five in the first layers."""

from memfit.precision._preset import EIGHT_EXPERTS_OUTPUT, Preset, Quality, Rule

PRESET = Preset(
    name="Q4_K_S",
    file_type=14,
    base="Q4_K",
    summary="4-bit, first layers 5-bit",
    aliases=("Q4_K - Small",),
    rules=(
        Rule("attention_v", "Q5_K", lambda at: at.nth < 4),
        Rule("ffn_down", "Q5_K", lambda at: at.first(8) and not at.falcon),
        EIGHT_EXPERTS_OUTPUT,
    ),
    quality=Quality(perplexity=6.500529, kl_divergence=0.043136),
    quality_imatrix=Quality(perplexity=6.409697, kl_divergence=0.031951),
)
