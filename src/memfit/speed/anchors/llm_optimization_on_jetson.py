"""The expected speeds of "LLM Optimization on Jetson", which call themselves estimates."""

from __future__ import annotations

from memfit.speed.records import Anchor, AnchorSource

# card, prompt tokens/s, generated tokens/s
_ROWS: tuple[tuple[str, float, float], ...] = (
    ("tinyllama_1_1b", 200.0, 65.0),
    ("llama_3_2_1b", 170.0, 55.0),
    ("gemma_2_2b", 85.0, 35.0),
    ("llama_3_2_3b", 65.0, 25.0),
    ("phi_3_mini_4k", 50.0, 20.0),
)

SOURCE = AnchorSource(
    title="LLM Optimization on Jetson, §10",
    address="https://ai-hpc.github.io/ai-hardware-engineer-roadmap/ (Phase 4, Track B)",
    method="estimates for an Orin Nano Super at 25 W with Q4_K_M and llama.cpp at a context of 2,048",
    anchors=tuple(
        Anchor(
            board="orin_nano_8gb",
            mode="25W",
            engine="llama_cpp",
            model=model,
            format="Q4_K_M",
            prompt_tokens=1024,
            decode_tokens_per_s=decode,
            prefill_tokens_per_s=prefill,
            grade="estimate",
        )
        for model, prefill, decode in _ROWS
    ),
)
