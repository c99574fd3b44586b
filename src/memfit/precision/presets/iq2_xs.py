"""2.31 bits, more for attention values; needs an importance matrix."""

from memfit.precision._preset import Preset, Quality, Rule

PRESET = Preset(
    name="IQ2_XS",
    file_type=20,
    base="IQ2_XS",
    summary="2.31-bit, attention values to 4-bit",
    aliases=("IQ2_XS - 2.3125 bpw",),
    output="Q5_K",
    embedding="Q2_K",
    rules=(
        Rule("attention_v", "Q4_K", lambda at: at.grouped or at.experts >= 4),
        Rule("attention_v", "Q2_K"),
        Rule("attention_k", "Q4_K", lambda at: at.eight_experts),
        Rule("ffn_down", "Q2_K", lambda at: at.nth < at.count // 8),
        Rule("attention_output", "Q5_K", lambda at: at.eight_experts),
    ),
    corrected=False,
    quality_imatrix=Quality(perplexity=10.761424, kl_divergence=0.54629),
)
