"""Six bits a number: 16 groups of 16 with 8-bit scales under one F16 scale. The usual output matrix."""

from memfit.precision._format import Format

FORMAT = Format(
    name="Q6_K",
    number=14,
    block_elements=256,
    block_bytes=210,
    kind="k-quant",
    summary="6-bit, 16 groups of 16",
    source="llama.cpp ggml/src/ggml-common.h, block_q6_K (0c1e57098)",
    fallback="Q8_0",
)
