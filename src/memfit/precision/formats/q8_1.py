"""Eight bits a number with the block's sum: activations while a matrix product runs, not a file's weights."""

from memfit.precision._format import Format

FORMAT = Format(
    name="Q8_1",
    number=9,
    block_elements=32,
    block_bytes=36,
    kind="block",
    summary="8-bit, F16 scale and sum for 32; activations only",
    source="llama.cpp ggml/src/ggml-common.h, block_q8_1 (0c1e57098)",
)
