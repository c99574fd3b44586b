"""MLC LLM's own 3 bits: ten numbers a word, groups of 40 with a scale, embedding and output too."""

from memfit.precision import _engines as on
from memfit.precision._scheme import Scheme, Stored

SCHEME = Scheme(
    name="q3f16_1",
    summary="3-bit integer, ten to a 32-bit word, a 16-bit scale for 40, embedding and output too (MLC)",
    weight_bits=3,
    group=40,
    scale_bits=16,
    # a word of 32 bits holds ten numbers, so a number takes 3.2 bits; a group of 40 is four words
    tensors=(
        Stored(name="q_weight", bits=128, per="group"),
        Stored(name="q_scale", bits=16, per="group"),
    ),
    parts=("linear", "embedding", "output"),
    support=(
        on.weight_only("mlc", "0", on.MLC),
        *on.never("vllm", "sglang", "tensorrt_llm", "tensorrt_edge_llm", "executorch", "onnxruntime", "ctranslate2"),
        *on.never("pytorch"),
        *on.GGUF_ONLY,
    ),
    source="MLC LLM python/mlc_llm/quantization/quantization.py @ 16c3dc4a, q3f16_1: group 40, int3 in uint32",
    aliases=("mlc int3", "mlc 3bit"),
)
