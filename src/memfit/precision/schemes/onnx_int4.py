"""ONNX Runtime's MatMulNBits: 4-bit weights in blocks of 32 with a scale."""

from memfit.precision import _engines as on
from memfit.precision._scheme import Scheme, Stored

SCHEME = Scheme(
    name="MatMulNBits INT4",
    summary="4-bit integer, a 16-bit scale for 32, symmetric (ONNX)",
    weight_bits=4,
    group=32,
    scale_bits=16,
    tensors=(
        Stored(name="B", bits=4 * 32, per="group"),
        Stored(name="scales", bits=16, per="group"),
    ),
    parts=("linear", "output"),
    support=(
        on.weight_only("onnxruntime", "cpu", on.ONNX, "activations quantized too with accuracy_level 4"),
        on.weight_only("onnxruntime", "8.0", on.ORT, unknown=True),
        *on.never("vllm", "sglang", "tensorrt_llm", "tensorrt_edge_llm", "mlc", "executorch", "ctranslate2"),
        *on.never("pytorch"),
        *on.GGUF_ONLY,
    ),
    source="ONNX Runtime docs/ContribOperators.md, com.microsoft.MatMulNBits: B (N, blocks, 16 bytes), scales",
    aliases=("MatMulNBits INT4", "matmulnbits", "onnx 4bit", "matmul 4bits"),
)
