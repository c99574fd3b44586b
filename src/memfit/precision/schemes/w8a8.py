"""8-bit integers for weights and activations (SmoothQuant, W8A8)."""

from memfit.precision import _engines as on
from memfit.precision._scheme import DOCUMENT, Prior, Scheme, Stored

SCHEME = Scheme(
    name="W8A8",
    summary="8-bit integer weights and activations, one 16-bit scale a row",
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
        on.native("vllm", "7.5", on.VLLM_INT8),
        on.native("sglang", "7.5", on.SGLANG_INT8),
        on.native("tensorrt_llm", "8.0", on.TRTLLM_PRECISION, "SmoothQuant"),
        on.native("tensorrt_edge_llm", "8.0", on.EDGE_METHODS, "int8_sq", unknown=True),
        on.native("onnxruntime", "cpu", on.ORT, "QDQ"),
        on.native("ctranslate2", "7.0", on.CT2),
        on.native("ctranslate2", "cpu", on.CT2),
        *on.never("mlc", "executorch"),
        *on.GGUF_ONLY,
    ),
    source="vLLM compressed_tensors_w8a8_int8.py @ 00ba7ff1, create_weights (channel); scales stored in 16 bits",
    aliases=("int8 w8a8", "smoothquant"),
)
