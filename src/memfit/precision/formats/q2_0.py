"""Two bits a number: 64 of them and an F16 scale."""

from memfit.precision._format import Format

FORMAT = Format(
    name="Q2_0",
    number=42,
    block_elements=64,
    block_bytes=18,
    kind="block",
    summary="2-bit, one F16 scale for 64",
    source="llama.cpp ggml/src/ggml-common.h, block_q2_0 (0c1e57098)",
    fallback="Q4_0",
)
