"""3.44 bits, 3.06 for attention queries and keys and the middle of the feed-forward; needs an importance matrix."""

from memfit.precision._preset import EIGHT_EXPERTS_OUTPUT, Preset, Quality, Rule

PRESET = Preset(
    name="IQ3_XS",
    file_type=22,
    base="IQ3_S",
    summary="3.06- to 3.44-bit",
    aliases=("IQ3_XS - 3.3 bpw",),
    rules=(
        Rule("attention_v", "Q4_K", lambda at: at.grouped),
        Rule("attention_k", "IQ3_XXS"),
        Rule("attention_q", "IQ3_XXS"),
        Rule("ffn_up", "IQ3_XXS", lambda at: at.middle),
        Rule("ffn_gate", "IQ3_XXS", lambda at: at.middle),
        EIGHT_EXPERTS_OUTPUT,
    ),
    quality_imatrix=Quality(perplexity=7.163043, kl_divergence=0.138693),
)
