"""Four bits, six for attention values and the way down of the feed-forward in the layers that suffer most."""

from memfit.precision._preset import EIGHT_EXPERTS_OUTPUT, Preset, Quality, Rule

PRESET = Preset(
    name="Q4_K_M",
    file_type=15,
    base="Q4_K",
    summary="4-bit, sensitive layers 6-bit: the usual choice",
    aliases=("Q4_K", "Q4_K - Medium"),
    rules=(
        Rule("attention_v", "Q6_K", lambda at: at.sensitive),
        Rule("ffn_down", "Q6_K", lambda at: at.first(16) if at.falcon else at.sensitive),
        Rule("ffn_down", "Q5_K", lambda at: at.falcon and at.sensitive),
        EIGHT_EXPERTS_OUTPUT,
    ),
    quality=Quality(perplexity=6.407115, kl_divergence=0.031273),
    quality_imatrix=Quality(perplexity=6.382937, kl_divergence=0.028152),
)
