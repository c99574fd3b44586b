"""Three bits a number: 16 groups of 16 with 6-bit scales under one F16 scale."""

from memfit.precision._format import Format

FORMAT = Format(
    name="Q3_K",
    number=11,
    block_elements=256,
    block_bytes=110,
    kind="k-quant",
    summary="3-bit, 16 groups of 16",
    source="llama.cpp ggml/src/ggml-common.h, block_q3_K (0c1e57098)",
    fallback="Q4_0",
)
