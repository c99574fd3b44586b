"""8-bit floats (E4M3), one scale for each block of 128 × 128, as DeepSeek-V3 is published."""

from memfit.precision import _engines as on
from memfit.precision._scheme import DOCUMENT, Prior, Scheme, Stored

SCHEME = Scheme(
    name="FP8 block",
    summary="8-bit float E4M3, one 32-bit scale for 128 x 128 numbers",
    weight_bits=8,
    group=128,
    scale_bits=32,
    activation_bits=8,
    tensors=(
        Stored(name="weight", bits=8, per="number"),
        Stored(name="weight_scale_inv", bits=32, per="block"),
    ),
    quant_methods=("fp8",),
    quality=Prior(loss="minimal", source=DOCUMENT),
    support=(
        *on.FP8,
        on.native("tensorrt_llm", "9.0", on.TRTLLM, "FP8 block scaling"),
        *on.never("tensorrt_edge_llm", says="its FP8 has one scale a matrix"),
        *on.never("mlc"),
        *on.never("onnxruntime"),
        on.native("pytorch", "9.0", on.TRANSFORMERS + ", fine-grained FP8 (5.14)"),
        *on.never("executorch", "ctranslate2"),
        *on.GGUF_ONLY,
    ),
    source="vLLM vllm/model_executor/layers/quantization/fp8.py @ 0071b24b, Fp8LinearMethod.create_weights (block)",
    aliases=("fp8 128x128", "finegrained fp8"),
)
