"""Five bits, six for attention values and the way down of the feed-forward in the layers that suffer most."""

from memfit.precision._preset import Preset, Quality, Rule

PRESET = Preset(
    name="Q5_K_M",
    file_type=17,
    base="Q5_K",
    summary="5-bit, sensitive layers 6-bit",
    aliases=("Q5_K", "Q5_K - Medium"),
    rules=(
        Rule("attention_v", "Q6_K", lambda at: at.sensitive),
        Rule("ffn_down", "Q6_K", lambda at: at.sensitive),
    ),
    quality=Quality(perplexity=6.288607, kl_divergence=0.010762),
)
