"""1.56 bits a number: groups of 8 taken from a grid of ternary vectors. Needs an importance matrix."""

from memfit.precision._format import Format

FORMAT = Format(
    name="IQ1_S",
    number=19,
    block_elements=256,
    block_bytes=50,
    kind="i-quant",
    summary="1.56-bit, ternary grid",
    source="llama.cpp ggml/src/ggml-common.h, block_iq1_s (0c1e57098)",
    fallback="IQ4_NL",
    needs_imatrix=True,
)
