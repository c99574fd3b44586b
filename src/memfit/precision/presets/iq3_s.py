"""3.44 bits throughout, four for shared attention values."""

from memfit.precision._preset import EIGHT_EXPERTS_OUTPUT, Preset, Quality, Rule

PRESET = Preset(
    name="IQ3_S",
    file_type=26,
    base="IQ3_S",
    summary="3.44-bit throughout",
    aliases=("IQ3_S - 3.4375 bpw",),
    rules=(
        Rule("attention_v", "Q4_K", lambda at: at.grouped),
        EIGHT_EXPERTS_OUTPUT,
    ),
    quality_imatrix=Quality(perplexity=6.965501, kl_divergence=0.111278),
)
