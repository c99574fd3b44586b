"""Embedl's edge benchmarks: small models in 16 bits and as W4A16 on an AGX Orin and a Thor."""

from __future__ import annotations

from memfit.speed.records import Anchor, AnchorSource

# board, card, format, tokens/s of 256 generated
_ROWS: tuple[tuple[str, str, str, float], ...] = (
    ("thor_t5000", "llama_3_2_1b", "BF16", 77.30),
    ("thor_t5000", "llama_3_2_1b", "W4A16", 162.46),
    ("thor_t5000", "llama_3_2_3b", "BF16", 34.21),
    ("thor_t5000", "llama_3_2_3b", "W4A16", 73.59),
    ("thor_t5000", "qwen3_1_7b", "BF16", 49.31),
    ("thor_t5000", "qwen3_1_7b", "W4A16", 124.63),
    ("thor_t5000", "qwen3_0_6b", "BF16", 140.38),
    ("agx_orin_64gb", "llama_3_2_1b", "BF16", 65.02),
    ("agx_orin_64gb", "llama_3_2_3b", "BF16", 25.64),
    ("agx_orin_64gb", "llama_3_2_3b", "W4A16", 61.21),
    ("agx_orin_64gb", "qwen3_1_7b", "BF16", 45.83),
    ("agx_orin_64gb", "qwen3_1_7b", "W4A16", 100.96),
    ("agx_orin_64gb", "qwen3_0_6b", "BF16", 117.52),
)

SOURCE = AnchorSource(
    title="Embedl: Edge Inference Benchmarks",
    address="https://huggingface.co/spaces/embedl/Edge-Inference-Benchmarks data/Llama-3.2.csv (main), data/Qwen3.csv "
    "(refs/pr/6); rows of the unmodified models and of W4A16, batch 1",
    method="tokens/s = 256 ÷ end-to-end seconds, so a short prompt's time is in it; with vLLM (the models' pages name "
    "0.10.2 "
    "and later); power mode and clocks are not told. Rows with Embedl's own output head are left out",
    anchors=tuple(
        Anchor(
            board=board,
            engine="vllm",
            model=model,
            format=format,
            generated_tokens=256,
            decode_tokens_per_s=speed,
        )
        for board, model, format, speed in _ROWS
    ),
)
