"""1.75 bits a number: the grid of IQ1_S with finer scales. Needs an importance matrix."""

from memfit.precision._format import Format

FORMAT = Format(
    name="IQ1_M",
    number=29,
    block_elements=256,
    block_bytes=56,
    kind="i-quant",
    summary="1.75-bit, ternary grid with finer scales",
    source="llama.cpp ggml/src/ggml-common.h, block_iq1_m (0c1e57098)",
    fallback="IQ4_NL",
    needs_imatrix=True,
)
