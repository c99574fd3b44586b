"""Brain float: the range of F32 with 8 bits of significand, as most models are published."""

from memfit.precision._format import Format

FORMAT = Format(
    name="BF16",
    number=30,
    block_elements=1,
    block_bytes=2,
    kind="float",
    summary="16-bit float with the exponent of F32",
    source="llama.cpp ggml/src/ggml.c, type_traits (0c1e57098)",
    aliases=("bfloat16",),
    kv_cache=True,
)
