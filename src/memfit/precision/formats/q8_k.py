"""Eight bits a number with an F32 scale and group sums: activations while a product runs, not a file's weights."""

from memfit.precision._format import Format

FORMAT = Format(
    name="Q8_K",
    number=15,
    block_elements=256,
    block_bytes=292,
    kind="k-quant",
    summary="8-bit, F32 scale for 256; activations only",
    source="llama.cpp ggml/src/ggml-common.h, block_q8_K (0c1e57098)",
)
