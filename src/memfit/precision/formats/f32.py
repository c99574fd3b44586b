"""IEEE 754 single precision: norms, biases and everything else that is never quantized."""

from memfit.precision._format import Format

FORMAT = Format(
    name="F32",
    number=0,
    block_elements=1,
    block_bytes=4,
    kind="float",
    summary="32-bit float",
    source="llama.cpp ggml/src/ggml.c, type_traits (0c1e57098)",
    aliases=("FP32", "float32"),
    kv_cache=True,
)
