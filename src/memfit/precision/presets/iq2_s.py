"""2.31 bits, three to four for attention values and outputs; needs an importance matrix."""

from memfit.precision._preset import Preset, Quality, Rule

PRESET = Preset(
    name="IQ2_S",
    file_type=28,
    base="IQ2_XS",
    summary="2.31-bit, attention 3- to 4-bit",
    aliases=("IQ2_S - 2.5 bpw",),
    output="Q5_K",
    embedding="IQ3_S",
    rules=(
        Rule("attention_v", "Q4_K", lambda at: at.grouped or at.experts >= 4),
        Rule("attention_v", "IQ3_S"),
        Rule("attention_k", "Q4_K", lambda at: at.eight_experts),
        Rule("ffn_down", "IQ3_S", lambda at: at.nth < at.count // 8),
        Rule("attention_output", "Q5_K", lambda at: at.eight_experts),
        Rule("attention_output", "IQ3_S"),
    ),
    corrected=False,
    quality_imatrix=Quality(perplexity=9.650781, kl_divergence=0.439197),
)
