"""3.44 bits a number: groups of 4 taken from a grid of 512 vectors."""

from memfit.precision._format import Format

FORMAT = Format(
    name="IQ3_S",
    number=21,
    block_elements=256,
    block_bytes=110,
    kind="i-quant",
    summary="3.44-bit, grid of 512 vectors",
    source="llama.cpp ggml/src/ggml-common.h, block_iq3_s (0c1e57098)",
    fallback="IQ4_NL",
)
