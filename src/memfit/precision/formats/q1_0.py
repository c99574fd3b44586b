"""One sign bit a number: 128 of them and an F16 scale."""

from memfit.precision._format import Format

FORMAT = Format(
    name="Q1_0",
    number=41,
    block_elements=128,
    block_bytes=18,
    kind="block",
    summary="1-bit, one F16 scale for 128",
    source="llama.cpp ggml/src/ggml-common.h, block_q1_0 (0c1e57098)",
)
