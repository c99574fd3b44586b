"""4.25 bits on an uneven scale; five for shared attention values."""

from memfit.precision._preset import EIGHT_EXPERTS_OUTPUT, Preset, Quality, Rule

PRESET = Preset(
    name="IQ4_XS",
    file_type=30,
    base="IQ4_XS",
    summary="4.25-bit on an uneven scale",
    aliases=("IQ4_XS - 4.25 bpw",),
    rules=(
        Rule("attention_v", "Q5_K", lambda at: at.grouped),
        Rule("ffn_down", "Q5_K", lambda at: at.first(8) and not at.imatrix),
        EIGHT_EXPERTS_OUTPUT,
    ),
    quality_imatrix=Quality(perplexity=6.459705, kl_divergence=0.036334),
)
