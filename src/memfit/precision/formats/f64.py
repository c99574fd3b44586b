"""IEEE 754 double precision: legal in a file, rare in models."""

from memfit.precision._format import Format

FORMAT = Format(
    name="F64",
    number=28,
    block_elements=1,
    block_bytes=8,
    kind="float",
    summary="64-bit float",
    source="llama.cpp ggml/src/ggml.c, type_traits (0c1e57098)",
    aliases=("FP64", "float64", "double"),
)
