"""16-bit floats with the range of 32 (bfloat16): what most checkpoints are published in."""

from memfit.precision import _engines as on
from memfit.precision._scheme import Prior, Scheme, plain

SCHEME = Scheme(
    name="BF16",
    summary="16-bit float with 8 bits of exponent",
    weight_bits=16,
    tensors=plain(16),
    quality=Prior(loss="none: most models are published in it", source="by definition"),
    support=(
        on.native("vllm", "8.0", on.VLLM_DTYPE),
        on.weight_only("vllm", "7.0", on.VLLM_DTYPE, "runs converted to FP16 (--dtype half)", before="8.0"),
        on.native("sglang", "8.0", on.SGLANG),
        on.weight_only("sglang", "7.5", on.SGLANG_INT8, "runs converted to FP16 (--dtype half)", before="8.0"),
        on.native("tensorrt_llm", "8.0", on.TRTLLM),
        on.weight_only("tensorrt_edge_llm", "8.0", on.EDGE, "engines compute in FP16", unknown=True),
        on.native("mlc", "8.0", on.MLC, "q0bf16", unknown=True),
        on.native("executorch", "cpu", on.EXECUTORCH, "-d bf16"),
        on.native("onnxruntime", "8.0", on.ONNX, "BFLOAT16", unknown=True),
        on.native("ctranslate2", "8.0", on.CT2),
        on.weight_only("ctranslate2", "7.0", on.CT2, "converted to float32 on load", before="8.0"),
        on.weight_only("ctranslate2", "cpu", on.CT2, "converted to float32 on load"),
        on.native("pytorch", "8.0", on.TORCH, unknown=True),
        on.native("pytorch", "cpu", on.TORCH),
        *on.FLOATS_AS_GGUF,
    ),
    source="safetensors dtype BF16",
    aliases=("bfloat16",),
)
