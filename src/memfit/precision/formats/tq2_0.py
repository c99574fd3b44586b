"""2.06 bits a number: four of -1, 0, 1 to a byte, faster to unpack than TQ1_0."""

from memfit.precision._format import Format

FORMAT = Format(
    name="TQ2_0",
    number=35,
    block_elements=256,
    block_bytes=66,
    kind="ternary",
    summary="2.06-bit ternary, four to a byte",
    source="llama.cpp ggml/src/ggml-common.h, block_tq2_0 (0c1e57098)",
    fallback="Q4_0",
)
