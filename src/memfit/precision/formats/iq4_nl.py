"""Four bits a number on an uneven scale of 16 values: blocks of 32, so it fits rows that K-quants refuse."""

from memfit.precision._format import Format

FORMAT = Format(
    name="IQ4_NL",
    number=20,
    block_elements=32,
    block_bytes=18,
    kind="i-quant",
    summary="4-bit on an uneven scale, one F16 scale for 32",
    source="llama.cpp ggml/src/ggml-common.h, block_iq4_nl (0c1e57098)",
    kv_cache=True,
)
