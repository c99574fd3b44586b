"""1.69 bits a number: five of -1, 0, 1 to a byte, for models trained ternary."""

from memfit.precision._format import Format

FORMAT = Format(
    name="TQ1_0",
    number=34,
    block_elements=256,
    block_bytes=54,
    kind="ternary",
    summary="1.69-bit ternary, five to a byte",
    source="llama.cpp ggml/src/ggml-common.h, block_tq1_0 (0c1e57098)",
    fallback="Q4_0",
)
