"""Signed bytes: indices and tables, never weights that a matrix product reads."""

from memfit.precision._format import Format

FORMAT = Format(
    name="I8",
    number=24,
    block_elements=1,
    block_bytes=1,
    kind="integer",
    summary="8-bit integer",
    source="llama.cpp ggml/src/ggml.c, type_traits (0c1e57098)",
    aliases=("int8",),
)
