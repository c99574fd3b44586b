"""Four bits on an uneven scale; five for shared attention values."""

from memfit.precision._preset import EIGHT_EXPERTS_OUTPUT, Preset, Quality, Rule

PRESET = Preset(
    name="IQ4_NL",
    file_type=25,
    base="IQ4_NL",
    summary="4.5-bit on an uneven scale",
    aliases=("IQ4_NL - 4.5 bpw",),
    rules=(
        Rule("attention_v", "Q5_K", lambda at: at.grouped),
        Rule("ffn_down", "Q5_K", lambda at: at.first(8) and not at.imatrix),
        EIGHT_EXPERTS_OUTPUT,
    ),
    quality_imatrix=Quality(perplexity=6.455593, kl_divergence=0.035742),
)
