"""Signed 32-bit integers: tables such as the routing of tokens to experts."""

from memfit.precision._format import Format

FORMAT = Format(
    name="I32",
    number=26,
    block_elements=1,
    block_bytes=4,
    kind="integer",
    summary="32-bit integer",
    source="llama.cpp ggml/src/ggml.c, type_traits (0c1e57098)",
    aliases=("int32",),
)
