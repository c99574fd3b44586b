"""CTranslate2's own 8 bits: linear layers and embeddings as integers with one scale a row."""

from memfit.precision import _engines as on
from memfit.precision._scheme import Scheme, Stored

SCHEME = Scheme(
    name="CTranslate2 INT8",
    summary="8-bit integer, a 32-bit scale a row, embedding and output too (CTranslate2)",
    weight_bits=8,
    scale_bits=32,
    activation_bits=8,
    tensors=(
        Stored(name="weight", bits=8, per="number"),
        Stored(name="weight_scale", bits=32, per="row"),
    ),
    parts=("linear", "embedding", "output", "convolution"),
    rest_bits=32,
    support=(
        on.native("ctranslate2", "7.0", on.CT2),
        on.weight_only("ctranslate2", "6.2", on.CT2, "converted to float32 on load", before="7.0"),
        on.native("ctranslate2", "6.1", on.CT2, before="6.2"),
        on.weight_only("ctranslate2", "0", on.CT2, "converted to float32 on load", before="6.1"),
        on.native("ctranslate2", "cpu", on.CT2),
        *on.never("vllm", "sglang", "tensorrt_llm", "tensorrt_edge_llm", "mlc", "executorch", "onnxruntime"),
        *on.never("pytorch"),
        *on.GGUF_ONLY,
    ),
    source="CTranslate2 docs/quantization.md @ 087d0850: one scale a row, embedding and linear layers",
    aliases=("CTranslate2 INT8", "ct2", "int8 float32", "faster whisper int8"),
)
