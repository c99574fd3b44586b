"""NVIDIA's Jetson AI Lab: vLLM on an AGX Orin and a Thor, from the pages of its models."""

from __future__ import annotations

from memfit.speed.records import Anchor, AnchorSource

# card, AGX Orin with 1 and 8 requests at once, Thor with 1 and 8: tokens/s
_ROWS: tuple[tuple[str, tuple[float, float], tuple[float, float], str], ...] = (
    ("llama_3_1_8b", (28.14, 112.33), (44.0, 251.0), ""),
    ("llama_3_2_3b", (52.58, 240.68), (65.83, 330.72), ""),
    ("qwen3_4b", (42.15, 193.83), (56.46, 273.37), ""),
    ("qwen3_8b", (26.53, 142.99), (41.55, 229.38), ""),
    ("qwen3_30b_a3b", (31.43, 76.69), (61.01, 226.42), ""),
    ("qwen3_32b", (6.22, 16.84), (13.19, 79.1), ""),
    ("llama_3_3_70b", (2.93, 7.38), (6.27, 41.5), "Llama 3.1 70B, which has the shape of Llama 3.3 70B"),
)
_BOARDS = ("agx_orin_64gb", "thor_t5000")

SOURCE = AnchorSource(
    title="Jetson AI Lab: models",
    address="NVIDIA-AI-IOT/jetson-ai-lab src/content/models/{llama3-1-8b,llama3-2-3b,qwen3-4b,qwen3-8b,qwen3-30b-a3b,"
    "qwen3-32b,llama3-1-70b}.md, front matter `benchmark` @ 0c433e5a5 and 2bcf81b42",
    method="vLLM, W4A16 checkpoints of Red Hat and others; 2,048 tokens of prompt and 128 generated (pull request 411 "
    "of "
    "that repository); version, power mode and clocks are not told, nor whether the prompt's time is in it",
    anchors=tuple(
        Anchor(
            board=board,
            engine="vllm",
            model=model,
            format="W4A16",
            prompt_tokens=2048,
            generated_tokens=128,
            concurrency=concurrency,
            decode_tokens_per_s=speed,
            note=note,
        )
        for model, orin, thor, note in _ROWS
        for board, speeds in zip(_BOARDS, (orin, thor), strict=True)
        for concurrency, speed in zip((1, 8), speeds, strict=True)
    ),
)
