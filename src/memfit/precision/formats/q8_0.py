"""Eight bits a number: 32 of them and an F16 scale. Nearly lossless."""

from memfit.precision._format import Format

FORMAT = Format(
    name="Q8_0",
    number=8,
    block_elements=32,
    block_bytes=34,
    kind="block",
    summary="8-bit, one F16 scale for 32",
    source="llama.cpp ggml/src/ggml-common.h, block_q8_0 (0c1e57098)",
    kv_cache=True,
)
