"""Two bits a number: 16 groups of 16 with 4-bit scales and minimums under two F16 scales."""

from memfit.precision._format import Format

FORMAT = Format(
    name="Q2_K",
    number=10,
    block_elements=256,
    block_bytes=84,
    kind="k-quant",
    summary="2-bit, 16 groups of 16",
    source="llama.cpp ggml/src/ggml-common.h, block_q2_K (0c1e57098)",
    fallback="Q4_0",
)
