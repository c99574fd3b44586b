"""32-bit floats, as a model is trained in full precision."""

from memfit.precision import _engines as on
from memfit.precision._scheme import Scheme, plain

SCHEME = Scheme(
    name="FP32",
    summary="32-bit float",
    weight_bits=32,
    activation_bits=32,
    tensors=plain(32),
    rest_bits=32,
    support=(
        on.native("vllm", "7.0", on.VLLM_LEAST),
        on.native("tensorrt_llm", "8.0", on.TRTLLM),
        on.native("mlc", "0", on.MLC, "q0f32"),
        on.native("executorch", "cpu", on.EXECUTORCH, "-d fp32"),
        on.native("onnxruntime", "cpu", on.ONNX, "FLOAT"),
        on.native("onnxruntime", "0", on.ONNX, "FLOAT"),
        on.native("ctranslate2", "cpu", on.CT2),
        on.native("ctranslate2", "0", on.CT2),
        on.native("pytorch", "cpu", on.TORCH),
        on.native("pytorch", "0", on.TORCH),
        *on.never("tensorrt_edge_llm", says="engines are built with 16-bit floats at most"),
        *on.FLOATS_AS_GGUF,
    ),
    source="safetensors dtype F32",
    aliases=("float32", "f32"),
)
