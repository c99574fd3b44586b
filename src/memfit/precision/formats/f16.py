"""IEEE 754 half precision: the usual source of a quantization and the default KV cache."""

from memfit.precision._format import Format

FORMAT = Format(
    name="F16",
    number=1,
    block_elements=1,
    block_bytes=2,
    kind="float",
    summary="16-bit float",
    source="llama.cpp ggml/src/ggml.c, type_traits (0c1e57098)",
    aliases=("FP16", "float16", "half"),
    kv_cache=True,
)
