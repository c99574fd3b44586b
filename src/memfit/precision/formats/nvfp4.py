"""NVIDIA FP4: E2M1 numbers with an unsigned E4M3 scale for every 16, four groups to a block."""

from memfit.precision._format import Format

FORMAT = Format(
    name="NVFP4",
    number=40,
    block_elements=64,
    block_bytes=36,
    kind="microscaling",
    summary="4-bit float, one 8-bit float scale for 16",
    source="llama.cpp ggml/src/ggml-common.h, block_nvfp4 (0c1e57098)",
)
