"""2.31 bits a number: groups of 8 taken from a grid of 512 vectors. Needs an importance matrix."""

from memfit.precision._format import Format

FORMAT = Format(
    name="IQ2_XS",
    number=17,
    block_elements=256,
    block_bytes=74,
    kind="i-quant",
    summary="2.31-bit, grid of 512 vectors",
    source="llama.cpp ggml/src/ggml-common.h, block_iq2_xs (0c1e57098)",
    fallback="IQ4_NL",
    needs_imatrix=True,
)
