"""Models of 0.6B to 3B on an AGX Orin whose power mode is not told, with llama.cpp."""

from __future__ import annotations

from memfit.speed.records import Anchor, AnchorSource

# model, format, prompt tokens/s of 512, generated tokens/s of 128; with flash attention where both were published
_ROWS: tuple[tuple[str, str, float, float], ...] = (
    ("llama_3_2_1b", "Q6_K", 1386.12, 27.80),
    ("llama_3_2_1b", "Q4_K_M", 1554.29, 34.79),
    ("llama_3_2_3b", "Q6_K", 507.21, 11.98),
    ("qwen3_0_6b", "Q8_0", 1622.88, 37.40),
    ("qwen3_1_7b", "Q4_K_M", 833.53, 22.36),
)
_WHY = "a third of the highest mode's speed: shown as the 30 W mode, which is not told but would explain it"


def _anchor(model: str, format: str, *, prefill: float | None = None, decode: float | None = None) -> Anchor:
    return Anchor(
        board="agx_orin_64gb",
        mode="MODE_30W",
        engine="llama_cpp",
        version="9a5f57795",
        model=model,
        format=format,
        prompt_tokens=0 if prefill is None else 512,
        generated_tokens=128 if prefill is None else None,
        prefill_tokens_per_s=prefill,
        decode_tokens_per_s=decode,
        unfitted=_WHY,
    )


SOURCE = AnchorSource(
    title="Cross-Framework LLM Benchmark Results, Jetson Orin AGX 64GB",
    address="GiveThanksAlways/jetpack-nixos examples/CROSS_FRAMEWORK_BENCHMARK.md",
    method="llama-bench -r 3 (pp512, tg128), CUDA 12.6, JetPack 6 on NixOS, power mode not told",
    anchors=(
        *(_anchor(model, format, prefill=speed) for model, format, speed, _ in _ROWS),
        *(_anchor(model, format, decode=speed) for model, format, _, speed in _ROWS),
    ),
)
