"""Four bits a number: 32 of them with an F16 scale and an F16 minimum."""

from memfit.precision._format import Format

FORMAT = Format(
    name="Q4_1",
    number=3,
    block_elements=32,
    block_bytes=20,
    kind="block",
    summary="4-bit, F16 scale and minimum for 32",
    source="llama.cpp ggml/src/ggml-common.h, block_q4_1 (0c1e57098)",
    kv_cache=True,
)
