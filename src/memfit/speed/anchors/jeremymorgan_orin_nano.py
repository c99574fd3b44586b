"""Ollama on an Orin Nano Super at 25 W, a dozen models asked the same thing."""

from __future__ import annotations

from memfit.speed.records import Anchor, AnchorSource

# card, format of the tag in Ollama's library, tokens/s as written (about)
_ROWS: tuple[tuple[str, str, float, str], ...] = (
    ("llama_3_2_1b", "Q8_0", 62.0, ""),
    ("llama_3_2_3b", "Q4_K_M", 30.0, ""),
    ("tinyllama_1_1b", "Q4_0", 58.0, ""),
    ("qwen2_5_0_5b", "Q4_K_M", 50.0, ""),
    ("qwen2_5_1_5b", "Q4_K_M", 34.0, "Qwen2.5-Coder-1.5B, which has the shape of Qwen2.5-1.5B"),
    ("smollm2_1_7b", "Q4_0", 45.0, "SmolLM-1.7B, which has the shape of SmolLM2-1.7B"),
    ("gemma_2_2b", "Q4_0", 38.0, ""),
    ("gemma_2b", "Q4_0", 38.0, ""),
    ("phi_3_mini_4k", "Q4_0", 25.0, "listed as 3.5B"),
)

SOURCE = AnchorSource(
    title="Jeremy Morgan: Jetson Orin Nano Speed Test",
    address="https://www.jeremymorgan.com/blog/tech/nvidia-jetson-orin-nano-speed-test/, read in "
    "msmcs-robotics/WayfindR-driver docs/jetson_orin_nano_llm_benchmarks.md @ 5c118c34c",
    method="about 1,600 tokens generated with Ollama at 25 W; formats are not told and taken from the default tags of "
    "Ollama's "
    "library; models without a card are left out",
    anchors=tuple(
        Anchor(
            board="orin_nano_8gb",
            mode="25W",
            engine="ollama",
            model=model,
            format=format,
            generated_tokens=1600,
            decode_tokens_per_s=speed,
            note=note,
        )
        for model, format, speed, note in _ROWS
    ),
)
