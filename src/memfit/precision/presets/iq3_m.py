"""3.44 bits, four for attention values and outputs and the first feed-forwards."""

from memfit.precision._preset import EIGHT_EXPERTS_OUTPUT, Preset, Quality, Rule

PRESET = Preset(
    name="IQ3_M",
    file_type=27,
    base="IQ3_S",
    summary="3.44-bit, sensitive parts 4-bit",
    aliases=("IQ3_S mix - 3.66 bpw",),
    rules=(
        Rule("attention_v", "Q4_K"),
        Rule("ffn_down", "Q4_K", lambda at: at.first(8) or (at.eight_experts and at.sensitive)),
        EIGHT_EXPERTS_OUTPUT,
        Rule("attention_output", "Q4_K", lambda at: not at.eight_experts and not at.falcon),
    ),
    quality_imatrix=Quality(perplexity=6.898327, kl_divergence=0.102534),
)
