"""8-bit floats (E4M3), one scale a matrix."""

from memfit.precision import _engines as on
from memfit.precision._scheme import DOCUMENT, Prior, Scheme, Stored

SCHEME = Scheme(
    name="FP8",
    summary="8-bit float E4M3, one scale a matrix for weights and one for activations",
    weight_bits=8,
    scale_bits=32,
    activation_bits=8,
    tensors=(
        Stored(name="weight", bits=8, per="number"),
        Stored(name="weight_scale", bits=32, per="matrix"),
        Stored(name="input_scale", bits=32, per="matrix"),
    ),
    quant_methods=("fp8", "modelopt"),
    quality=Prior(loss="minimal", source=DOCUMENT),
    support=(
        *on.FP8,
        on.native("tensorrt_llm", "8.9", on.TRTLLM),
        on.native("tensorrt_edge_llm", "8.9", on.EDGE),
        on.native("mlc", "8.9", on.MLC, "e4m3_e4m3_f16", unknown=True),
        on.native("onnxruntime", "8.9", on.ORT),
        on.native("pytorch", "8.9", on.TORCH),
        *on.never("executorch", "ctranslate2"),
        *on.GGUF_ONLY,
    ),
    source="vLLM vllm/model_executor/layers/quantization/fp8.py @ 0071b24b, Fp8LinearMethod.create_weights (static)",
    aliases=("float8", "e4m3", "fp8 per tensor", "fp8 tensor"),
)
