"""Signed 16-bit integers: indices and tables."""

from memfit.precision._format import Format

FORMAT = Format(
    name="I16",
    number=25,
    block_elements=1,
    block_bytes=2,
    kind="integer",
    summary="16-bit integer",
    source="llama.cpp ggml/src/ggml.c, type_traits (0c1e57098)",
    aliases=("int16",),
)
