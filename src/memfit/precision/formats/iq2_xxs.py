"""2.06 bits a number: groups of 8 taken from a grid of 256 vectors. Needs an importance matrix."""

from memfit.precision._format import Format

FORMAT = Format(
    name="IQ2_XXS",
    number=16,
    block_elements=256,
    block_bytes=66,
    kind="i-quant",
    summary="2.06-bit, grid of 256 vectors",
    source="llama.cpp ggml/src/ggml-common.h, block_iq2_xxs (0c1e57098)",
    fallback="IQ4_NL",
    needs_imatrix=True,
)
