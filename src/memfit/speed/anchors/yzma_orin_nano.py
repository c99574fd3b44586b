"""A 135M model on an Orin Nano Super, on the CPU and on the GPU."""

from __future__ import annotations

import msgspec

from memfit.speed.records import Anchor, AnchorSource

_ANCHOR = Anchor(
    board="orin_nano_8gb",
    engine="llama_cpp",
    version="b10964",
    model="smollm2_135m",
    format="Q2_K",
    generated_tokens=30,
    decode_tokens_per_s=84.17,
    on_cpu=True,
    note="SmolLM-135M, which has the shape of SmolLM2-135M",
)

SOURCE = AnchorSource(
    title="yzma: Linux benchmarks",
    address="hybridgroup/yzma benchmarks/linux.md @ 00744d16f (2026-09-19)",
    method="go test BenchmarkInference, median of five runs, a short prompt's time in it; the power mode is not told",
    anchors=(
        _ANCHOR,
        msgspec.structs.replace(_ANCHOR, on_cpu=False, decode_tokens_per_s=190.5),
    ),
)
