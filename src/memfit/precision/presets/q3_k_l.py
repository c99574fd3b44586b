"""Three bits, five for attention values and outputs and the way down of the feed-forward."""

from memfit.precision._preset import Preset, Quality, Rule

PRESET = Preset(
    name="Q3_K_L",
    file_type=13,
    base="Q3_K",
    summary="3-bit, sensitive parts 5-bit",
    aliases=("Q3_K - Large",),
    rules=(
        Rule("attention_v", "Q5_K"),
        Rule("ffn_down", "Q4_K", lambda at: at.falcon),
        Rule("ffn_down", "Q5_K"),
        Rule("attention_output", "Q4_K", lambda at: at.falcon),
        Rule("attention_output", "Q5_K", lambda at: not at.eight_experts),
    ),
    quality=Quality(perplexity=6.787876, kl_divergence=0.087176),
    quality_imatrix=Quality(perplexity=6.671223, kl_divergence=0.073077),
)
