"""3.06 bits, less for attention queries and keys, more for values and outputs; needs an importance matrix."""

from memfit.precision._preset import EIGHT_EXPERTS_OUTPUT, Preset, Quality, Rule

PRESET = Preset(
    name="IQ3_XXS",
    file_type=23,
    base="IQ3_XXS",
    summary="3.06-bit, attention 2.6- to 4-bit",
    aliases=("IQ3_XXS - 3.0625 bpw",),
    output="Q5_K",
    embedding="IQ3_S",
    rules=(
        Rule("attention_v", "Q4_K", lambda at: at.grouped),
        Rule("attention_v", "IQ3_S", lambda at: not at.imatrix),
        Rule("attention_k", "IQ2_S"),
        Rule("attention_q", "IQ2_S"),
        Rule("ffn_down", "Q4_K", lambda at: not at.imatrix and at.first(8)),
        Rule("ffn_down", "Q3_K", lambda at: not at.imatrix),
        EIGHT_EXPERTS_OUTPUT,
        Rule("attention_output", "IQ3_S", lambda at: not at.eight_experts and not at.falcon),
    ),
    quality_imatrix=Quality(perplexity=7.458436, kl_divergence=0.183625),
)
