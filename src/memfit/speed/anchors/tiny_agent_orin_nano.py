"""A 3B model on an Orin Nano Super, with llama.cpp on the GPU and on the CPU."""

from __future__ import annotations

import msgspec

from memfit.speed.records import Anchor, AnchorSource

_ANCHOR = Anchor(
    board="orin_nano_8gb",
    mode="MAXN_SUPER",
    engine="llama_cpp",
    version="873e5d8",
    model="qwen2_5_3b",
    format="Q4_K_M",
    prompt_tokens=0,
    generated_tokens=128,
)
_PROMPT = msgspec.structs.replace(_ANCHOR, prompt_tokens=512, generated_tokens=None)

SOURCE = AnchorSource(
    title="tiny_agent: Jetson Orin Nano benchmark run, 2026-08-21",
    address="rhajamor/tiny_agent, the raw log behind its benchmarks.md",
    method="llama-bench -p 512 -n 128 -r 3; nvpmodel -q says MAXN_SUPER, L4T 36.5, CUDA 12.6; the CPU with -dev none "
    "and 6 threads",
    anchors=(
        msgspec.structs.replace(_ANCHOR, decode_tokens_per_s=23.85),
        msgspec.structs.replace(_PROMPT, prefill_tokens_per_s=874.77),
        msgspec.structs.replace(_ANCHOR, decode_tokens_per_s=12.75, on_cpu=True),
        msgspec.structs.replace(_PROMPT, prefill_tokens_per_s=40.39, on_cpu=True),
    ),
)
