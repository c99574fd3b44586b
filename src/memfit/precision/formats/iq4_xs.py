"""4.25 bits a number on the uneven scale of IQ4_NL: 8 groups of 32 with 6-bit scales."""

from memfit.precision._format import Format

FORMAT = Format(
    name="IQ4_XS",
    number=23,
    block_elements=256,
    block_bytes=136,
    kind="i-quant",
    summary="4.25-bit on an uneven scale, 8 groups of 32",
    source="llama.cpp ggml/src/ggml-common.h, block_iq4_xs (0c1e57098)",
    fallback="IQ4_NL",
)
