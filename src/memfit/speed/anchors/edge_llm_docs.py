"""NVIDIA's own tables of TensorRT Edge-LLM on a Jetson AGX Thor."""

from __future__ import annotations

from memfit.speed.records import Anchor, AnchorSource

# version, card, format, sequences, prompt tokens over all, ms of the prompt, generated tokens/s
_ROWS: tuple[tuple[str, str, str, int, int, float, float | None], ...] = (
    ("0.4.0", "llama_3_1_8b", "AWQ", 1, 383, 215.5, 50.8),
    ("0.4.0", "llama_3_1_8b", "AWQ", 8, 3064, 2737.4, 135.3),
    ("0.4.0", "llama_3_1_8b", "NVFP4", 1, 383, 31.0, 54.9),
    ("0.4.0", "llama_3_1_8b", "NVFP4", 8, 3064, 387.6, 308.7),
    ("0.4.0", "qwen3_0_6b", "AWQ", 1, 366, 21.0, 270.2),
    ("0.4.0", "qwen3_0_6b", "AWQ", 8, 2927, 241.8, 828.0),
    ("0.4.0", "qwen3_0_6b", "NVFP4", 1, 366, 8.8, 318.6),
    ("0.4.0", "qwen3_0_6b", "NVFP4", 8, 2927, 95.4, 1562.4),
    ("0.4.0", "qwen3_4b", "AWQ", 1, 364, 116.2, 76.4),
    ("0.4.0", "qwen3_4b", "AWQ", 8, 2911, 1502.3, 240.3),
    ("0.4.0", "qwen3_4b", "NVFP4", 1, 364, 22.9, 90.2),
    ("0.7.0", "qwen3_1_7b", "NVFP4", 1, 370, 13.9, 170.4),
    ("0.7.0", "qwen3_1_7b", "NVFP4", 8, 2959, 150.5, 798.8),
    ("0.7.0", "qwen3_30b_a3b", "AWQ", 1, 370, 125.3, 81.3),
    ("0.7.0", "qwen3_30b_a3b", "AWQ", 8, 2959, 1342.2, 223.2),
    ("0.7.0", "nemotron_3_nano_4b", "NVFP4", 1, 383, 126.8, 65.4),
    ("0.7.0", "qwen3_5_0_8b", "NVFP4", 1, 753, 7.0, 232.2),
)
_PARTLY = "this hybrid's checkpoint keeps layers in 16 bits, and which is not told"
_GENERATED = "90.2 is the figure of issue 95 for version 0.7.1; the stored page of 0.4.0 ends before it"

SOURCE = AnchorSource(
    title="TensorRT Edge-LLM: Performance Benchmarks",
    address="https://nvidia.github.io/TensorRT-Edge-LLM/user_guide/performance/performance-benchmarks.html (0.4.0) and "
    ".../latest/... (0.7.0)",
    method="Jetson AGX Thor developer kit; power mode and clocks are not on the page; the maintainers ask for nvpmodel "
    "-m 0 "
    "and jetson_clocks (issue 95)",
    anchors=tuple(
        Anchor(
            board="thor_t5000",
            mode="MAXN",
            engine="tensorrt_edge_llm",
            version=version,
            model=model,
            format=format,
            prompt_tokens=tokens // sequences,
            concurrency=sequences,
            decode_tokens_per_s=decode,
            prefill_tokens_per_s=round(1000 * tokens / prompt_ms, 1),
            unfitted=_PARTLY if model in ("nemotron_3_nano_4b", "qwen3_5_0_8b") else "",
            note=_GENERATED if decode == 90.2 else "GPTQ" if model == "qwen3_30b_a3b" else "",
        )
        for version, model, format, sequences, tokens, prompt_ms, decode in _ROWS
    ),
)
