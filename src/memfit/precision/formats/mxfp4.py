"""OCP microscaling FP4: 32 E2M1 numbers under one E8M0 exponent, as gpt-oss is published."""

from memfit.precision._format import Format

FORMAT = Format(
    name="MXFP4",
    number=39,
    block_elements=32,
    block_bytes=17,
    kind="microscaling",
    summary="4-bit float, one 8-bit exponent for 32",
    source="llama.cpp ggml/src/ggml-common.h, block_mxfp4 (0c1e57098)",
)
