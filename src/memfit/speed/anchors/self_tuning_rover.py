"""Three models of 2B to 4B on an Orin Nano Super with llama.cpp: two hybrids, and one with embeddings a layer."""

from __future__ import annotations

from memfit.speed.records import Anchor, AnchorSource

# model, prompt tokens/s of 512, generated tokens/s of 128
_ROWS: tuple[tuple[str, float, float], ...] = (
    ("nemotron_3_nano_4b", 582.0, 19.6),
    ("gemma_4_e2b", 1049.0, 29.2),
    ("qwen3_5_4b", 484.0, 16.6),
)


def _anchor(
    model: str, *, prompt: int, generated: int | None, prefill: float | None = None, decode: float | None = None
) -> Anchor:
    return Anchor(
        board="orin_nano_8gb",
        mode="MAXN_SUPER",
        engine="llama_cpp",
        version="v0.5.0",
        model=model,
        format="Q4_K_M",
        prompt_tokens=prompt,
        generated_tokens=generated,
        prefill_tokens_per_s=prefill,
        decode_tokens_per_s=decode,
    )


SOURCE = AnchorSource(
    title="self-tuning-rover: LLM on the Jetson, llama.cpp v0.5.0 built in a container (2026-09-25)",
    address="choym92/self-tuning-rover docs/verify.md; the power mode in docs/STATUS.md @ 3ef9fbd6a",
    method="llama-bench -ngl 99 -p 512 -n 128 in a container, desktop running, MAXN_SUPER without jetson_clocks, "
    "L4T 36.5.2, CUDA 12.6",
    anchors=(
        *(_anchor(model, prompt=512, generated=None, prefill=speed) for model, speed, _ in _ROWS),
        *(_anchor(model, prompt=0, generated=128, decode=speed) for model, _, speed in _ROWS),
    ),
)
