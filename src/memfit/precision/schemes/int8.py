"""8-bit integers for weights alone (W8A16), one scale a row."""

from memfit.precision import _engines as on
from memfit.precision._scheme import DOCUMENT, Prior, Scheme, Stored

SCHEME = Scheme(
    name="INT8",
    summary="8-bit integer weights, one 16-bit scale a row, 16-bit activations",
    weight_bits=8,
    scale_bits=16,
    tensors=(
        Stored(name="weight", bits=8, per="number"),
        Stored(name="per_channel_scale", bits=16, per="row"),
    ),
    quant_methods=("compressed-tensors", "torchao"),
    quality=Prior(loss="minimal", source=DOCUMENT),
    support=(
        on.weight_only("vllm", "8.0", on.VLLM_WNA16, "Marlin, 8 bits", unknown=True),
        on.weight_only("sglang", "8.0", on.SGLANG, "torchao int8wo", unknown=True),
        on.weight_only("tensorrt_llm", "8.0", on.TRTLLM_PRECISION),
        on.weight_only("onnxruntime", "cpu", on.ONNX, "MatMulNBits, 8 bits"),
        on.weight_only("pytorch", "0", on.TRANSFORMERS + ", torchao", unknown=True),
        on.native("ctranslate2", "7.0", on.CT2, "activations are quantized too"),
        on.weight_only("ctranslate2", "6.2", on.CT2, "converted to float32 on load", before="7.0"),
        on.native("ctranslate2", "6.1", on.CT2, "activations are quantized too", before="6.2"),
        on.weight_only("ctranslate2", "0", on.CT2, "converted to float32 on load", before="6.1"),
        on.native("ctranslate2", "cpu", on.CT2, "activations are quantized too"),
        *on.never("tensorrt_edge_llm", "mlc"),
        *on.GGUF_ONLY,
    ),
    source="TensorRT-LLM docs/source/reference/precision.md @ 1020a8d7, INT8 weight-only: one scale an output channel",
    aliases=("w8a16", "int8 weight only", "int8wo"),
)
