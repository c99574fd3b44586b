"""Signed 64-bit integers: legal in a file, rare in models."""

from memfit.precision._format import Format

FORMAT = Format(
    name="I64",
    number=27,
    block_elements=1,
    block_bytes=8,
    kind="integer",
    summary="64-bit integer",
    source="llama.cpp ggml/src/ggml.c, type_traits (0c1e57098)",
    aliases=("int64",),
)
