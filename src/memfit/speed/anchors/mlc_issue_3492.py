"""A 35B mixture of experts on an AGX Orin with llama.cpp, beside somebody's port of it to MLC."""

from __future__ import annotations

from memfit.speed.records import Anchor, AnchorSource

# tokens generated, tokens/s of llama.cpp with Q4_K_S, of the port with q4f16_1
_ROWS: tuple[tuple[int, float, float], ...] = (
    (512, 29.19, 54.46),
    (1024, 29.30, 54.30),
    (2048, 29.31, 54.07),
    (4096, 29.04, 53.69),
    (8192, 28.48, 53.00),
)


def _anchor(engine: str, format: str, generated: int, speed: float, unfitted: str = "") -> Anchor:
    return Anchor(
        board="agx_orin_64gb",
        engine=engine,
        model="qwen3_5_35b_a3b",
        format=format,
        prompt_tokens=0,
        generated_tokens=generated,
        decode_tokens_per_s=speed,
        unfitted=unfitted,
        note="Qwen3.6-35B-A3B, taken to have the shape of Qwen3.5-35B-A3B",
    )


SOURCE = AnchorSource(
    title="mlc-llm issue 3492: POC for qwen3.5 / qwen3.6 support optimized for AGX Orin",
    address="https://github.com/mlc-ai/mlc-llm/issues/3492 (2026-05-01)",
    method="an AGX Orin, its memory and power mode not told; llama.cpp with Unsloth's Q4_K_S (its "
    "Q4_K_XL is 3 % slower)",
    anchors=(
        *(_anchor("llama_cpp", "Q4_K_S", generated, speed) for generated, speed, _ in _ROWS),
        *(
            _anchor("mlc", "q4f16", generated, speed, "one author's port with kernels of its own, not mlc-llm's")
            for generated, _, speed in _ROWS
        ),
    ),
)
