"""The pull request that tuned llama.cpp's matrix kernels for Orin: Q2_K alone, one token at a time."""

from __future__ import annotations

from memfit.speed.records import Anchor, AnchorSource

_ROWS: tuple[tuple[str, float], ...] = (("qwen3_5_4b", 17.7), ("gemma_4_e2b", 30.9), ("gemma_4_e4b", 17.1))

SOURCE = AnchorSource(
    title="llama.cpp pull request 28285: tune MMVQ to MMQ crossover for SM87",
    address="https://github.com/ggml-org/llama.cpp/pull/28285 (2026-09-03)",
    method="llama-bench -p 1 -n 0 -r 50 on GGUF files of one format; Orin Nano, power mode not told. Its tables of "
    "other formats, of AGX Orin and of the later rows are left out: the stored text does not tell their formats",
    anchors=tuple(
        Anchor(
            board="orin_nano_8gb",
            engine="llama_cpp",
            model=model,
            format="pure Q2_K",
            prompt_tokens=0,
            generated_tokens=1,
            decode_tokens_per_s=speed,
        )
        for model, speed in _ROWS
    ),
)
