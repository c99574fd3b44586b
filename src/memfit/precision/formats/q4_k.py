"""Four bits a number: 8 groups of 32 with 6-bit scales and minimums under two F16 scales."""

from memfit.precision._format import Format

FORMAT = Format(
    name="Q4_K",
    number=12,
    block_elements=256,
    block_bytes=144,
    kind="k-quant",
    summary="4-bit, 8 groups of 32",
    source="llama.cpp ggml/src/ggml-common.h, block_q4_K (0c1e57098)",
    fallback="Q5_0",
)
