"""MLC LLM's own 4 bits: groups of 32 with a scale, embedding and output too."""

from memfit.precision import _engines as on
from memfit.precision._scheme import Scheme, Stored

SCHEME = Scheme(
    name="q4f16_1",
    summary="4-bit integer, a 16-bit scale for 32, embedding and output too (MLC)",
    weight_bits=4,
    group=32,
    scale_bits=16,
    tensors=(
        Stored(name="q_weight", bits=4, per="number", packed="inputs"),
        Stored(name="q_scale", bits=16, per="group"),
    ),
    parts=("linear", "embedding", "output"),
    support=(
        on.weight_only("mlc", "0", on.MLC),
        *on.never("vllm", "sglang", "tensorrt_llm", "tensorrt_edge_llm", "executorch", "onnxruntime", "ctranslate2"),
        *on.never("pytorch"),
        *on.GGUF_ONLY,
    ),
    source="MLC LLM python/mlc_llm/quantization/quantization.py @ 16c3dc4a, q4f16_1: group 32, quantize_embedding",
    aliases=("mlc int4", "mlc 4bit"),
)
