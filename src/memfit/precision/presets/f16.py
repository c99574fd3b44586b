"""Every matrix as 16-bit floats: the usual source of a quantization."""

from memfit.precision._preset import Preset, Quality

PRESET = Preset(
    name="F16",
    file_type=1,
    base="F16",
    summary="16-bit floats",
    aliases=("FP16", "float16"),
    quality=Quality(perplexity=6.23316, kl_divergence=0.000551),
)
