"""2.56 bits a number: groups of 8 taken from a grid of 1024 vectors. Needs an importance matrix."""

from memfit.precision._format import Format

FORMAT = Format(
    name="IQ2_S",
    number=22,
    block_elements=256,
    block_bytes=82,
    kind="i-quant",
    summary="2.56-bit, grid of 1024 vectors",
    source="llama.cpp ggml/src/ggml-common.h, block_iq2_s (0c1e57098)",
    fallback="IQ4_NL",
    needs_imatrix=True,
)
