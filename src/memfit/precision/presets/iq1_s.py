"""1.56 bits, more for attention; needs an importance matrix."""

from memfit.precision._preset import Preset, Quality, Rule

PRESET = Preset(
    name="IQ1_S",
    file_type=24,
    base="IQ1_S",
    summary="1.56-bit, attention 2- to 4-bit",
    aliases=("IQ1_S - 1.5625 bpw",),
    output="Q5_K",
    embedding="Q2_K",
    rules=(
        Rule("attention_v", "Q4_K", lambda at: at.grouped or at.experts >= 4),
        Rule("attention_v", "Q2_K"),
        Rule("attention_k", "Q4_K", lambda at: at.eight_experts),
        Rule("ffn_down", "Q2_K", lambda at: at.nth < at.count // 8),
        Rule("attention_output", "Q5_K", lambda at: at.eight_experts),
        Rule("attention_output", "IQ2_XXS"),
    ),
    corrected=False,
    quality_imatrix=Quality(perplexity=60.694593, kl_divergence=2.254554),
)
