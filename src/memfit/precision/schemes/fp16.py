"""16-bit floats (IEEE half)."""

from memfit.precision import _engines as on
from memfit.precision._scheme import Prior, Scheme, plain

SCHEME = Scheme(
    name="FP16",
    summary="16-bit float",
    weight_bits=16,
    tensors=plain(16),
    quality=Prior(loss="none: what the others are compared with", source="by definition"),
    support=(
        on.native("vllm", "7.0", on.VLLM_LEAST),
        on.native("sglang", "7.5", on.SGLANG_INT8),
        on.native("tensorrt_llm", "8.0", on.TRTLLM),
        on.native("tensorrt_edge_llm", "8.0", on.EDGE, unknown=True),
        on.native("mlc", "0", on.MLC, "q0f16"),
        on.native("onnxruntime", "0", on.ONNX, "FLOAT16", unknown=True),
        on.native("ctranslate2", "7.0", on.CT2),
        on.weight_only("ctranslate2", "cpu", on.CT2, "converted to float32 on load"),
        on.native("pytorch", "5.3", on.CUDA_HALF),
        *on.FLOATS_AS_GGUF,
    ),
    source="safetensors dtype F16",
    aliases=("float16", "f16", "half"),
)
