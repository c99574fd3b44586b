"""2.56 bits, three to four for attention values and outputs; needs an importance matrix."""

from memfit.precision._preset import Preset, Quality, Rule

PRESET = Preset(
    name="IQ2_M",
    file_type=29,
    base="IQ2_S",
    summary="2.56-bit, attention 3- to 4-bit",
    aliases=("IQ2_M - 2.7 bpw",),
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
    quality_imatrix=Quality(perplexity=8.600799, kl_divergence=0.325989),
)
