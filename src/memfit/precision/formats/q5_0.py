"""Five bits a number: 32 of them and an F16 scale; the fifth bits lie together in four bytes."""

from memfit.precision._format import Format

FORMAT = Format(
    name="Q5_0",
    number=6,
    block_elements=32,
    block_bytes=22,
    kind="block",
    summary="5-bit, one F16 scale for 32",
    source="llama.cpp ggml/src/ggml-common.h, block_q5_0 (0c1e57098)",
    kv_cache=True,
)
