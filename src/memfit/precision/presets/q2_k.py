"""Two bits, three or four where it hurts most: attention values and outputs, the way down of the feed-forward."""

from memfit.precision._preset import EIGHT_EXPERTS_OUTPUT, Preset, Quality, Rule

PRESET = Preset(
    name="Q2_K",
    file_type=10,
    base="Q2_K",
    summary="2-bit, sensitive parts 3- to 4-bit",
    aliases=("Q2_K - Medium",),
    rules=(
        Rule("attention_v", "Q4_K", lambda at: at.grouped),
        Rule("attention_v", "Q3_K"),
        Rule("ffn_down", "Q3_K"),
        EIGHT_EXPERTS_OUTPUT,
        Rule("attention_output", "Q3_K", lambda at: not at.eight_experts and not at.falcon),
    ),
    quality=Quality(perplexity=9.751568, kl_divergence=0.445132),
    quality_imatrix=Quality(perplexity=8.647825, kl_divergence=0.332223),
)
