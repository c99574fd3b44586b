"""Three bits, four to five for attention values and outputs and the way down of the feed-forward."""

from memfit.precision._preset import EIGHT_EXPERTS_OUTPUT, Preset, Quality, Rule

PRESET = Preset(
    name="Q3_K_M",
    file_type=12,
    base="Q3_K",
    summary="3-bit, sensitive parts 4- to 5-bit",
    aliases=("Q3_K", "Q3_K - Medium"),
    rules=(
        Rule("attention_v", "Q5_K", lambda at: at.nth < 2),
        Rule("attention_v", "Q4_K"),
        Rule("ffn_down", "Q5_K", lambda at: at.first(16)),
        Rule("ffn_down", "Q4_K", lambda at: not at.falcon or at.sensitive),
        EIGHT_EXPERTS_OUTPUT,
        Rule("attention_output", "Q4_K", lambda at: not at.eight_experts and not at.falcon),
    ),
    quality=Quality(perplexity=6.888498, kl_divergence=0.101913),
    quality_imatrix=Quality(perplexity=6.734255, kl_divergence=0.084358),
)
