"""8-bit floats (E4M3), one scale a row; activations are scaled as they come."""

from memfit.precision import _engines as on
from memfit.precision._scheme import DOCUMENT, Prior, Scheme, Stored

SCHEME = Scheme(
    name="FP8 per channel",
    summary="8-bit float E4M3, one 16-bit scale a row, dynamic activations",
    weight_bits=8,
    scale_bits=16,
    activation_bits=8,
    tensors=(
        Stored(name="weight", bits=8, per="number"),
        Stored(name="weight_scale", bits=16, per="row"),
    ),
    quant_methods=("compressed-tensors",),
    quality=Prior(loss="minimal", source=DOCUMENT),
    support=(
        *on.FP8,
        on.native("tensorrt_llm", "8.9", on.TRTLLM, "FP8 rowwise", unknown=True),
        *on.never("tensorrt_edge_llm", says="its FP8 has one scale a matrix"),
        *on.never("mlc"),
        *on.never("onnxruntime"),
        on.native("pytorch", "8.9", on.TORCH),
        *on.never("executorch", "ctranslate2"),
        *on.GGUF_ONLY,
    ),
    source="compressed-tensors, float-quantized: scales in the model's own 16-bit type (FP8_DYNAMIC of llm-compressor)",
    aliases=("FP8 per channel", "fp8 dynamic", "fp8 row", "w8a8 fp8"),
)
