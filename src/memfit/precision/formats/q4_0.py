"""Four bits a number: 32 of them and an F16 scale. Repacked by CPU kernels for speed."""

from memfit.precision._format import Format

FORMAT = Format(
    name="Q4_0",
    number=2,
    block_elements=32,
    block_bytes=18,
    kind="block",
    summary="4-bit, one F16 scale for 32",
    source="llama.cpp ggml/src/ggml-common.h, block_q4_0 (0c1e57098)",
    kv_cache=True,
)
