"""Eight small models in the four power modes of an Orin Nano Super, with llama.cpp and with Ollama."""

from __future__ import annotations

from memfit.speed.records import Anchor, AnchorSource

_MODES = ("7W", "15W", "25W", "MAXN_SUPER")
# tables 9 and 10: output tokens/s in the four modes, 2,048 tokens of prompt, 256 generated
_ROWS: tuple[tuple[str, str, tuple[float, ...], tuple[float, ...]], ...] = (
    ("smollm2_135m", "Q4_K_M", (53.8, 114.7, 165.2, 159.5), (36.4, 84.4, 120.6, 132.2)),
    ("smollm2_360m", "Q8_0", (34.9, 70.6, 102.2, 89.6), (21.0, 48.5, 69.9, 76.4)),
    ("qwen2_5_0_5b", "Q4_K_M", (27.5, 68.5, 92.9, 100.6), (16.5, 39.4, 55.6, 61.2)),
    ("lfm2_350m", "Q4_K_M", (31.6, 79.8, 115.4, 112.9), (15.5, 23.8, 27.5, 29.8)),
    ("lfm2_1_2b", "Q4_K_M", (13.7, 36.9, 54.1, 52.7), (9.8, 19.1, 21.8, 23.0)),
    ("qwen3_0_6b", "Q8_0", (14.2, 33.9, 49.4, 54.3), (14.0, 32.5, 46.7, 51.3)),
    ("llama_3_2_1b", "Q4_K_M", (12.1, 32.3, 47.1, 51.9), (11.8, 31.2, 44.8, 49.9)),
    ("gemma_3_1b", "Q4_K_M", (11.2, 28.1, 40.8, 44.3), (9.8, 24.3, 34.9, 35.8)),
)
# the per-cell results of Llama 3.2 1B: mode, prompt, generated, output tokens/s, prompt tokens/s
_CELLS: tuple[tuple[str, int, int, float, float], ...] = (
    ("15W", 1024, 256, 32.9, 1390.49),
    ("15W", 2048, 256, 32.3, 1430.08),
    ("25W", 128, 256, 49.0, 1180.48),
    ("25W", 512, 256, 48.6, 1846.63),
    ("25W", 1024, 256, 48.1, 2017.16),
    ("25W", 2048, 256, 47.1, 2084.15),
    ("7W", 128, 256, 12.3, 309.75),
    ("7W", 512, 128, 12.3, 467.9),
)
_OLLAMA_CELLS: tuple[tuple[str, str, int, float], ...] = (
    ("llama_3_2_1b", "15W", 2048, 1230.02),
    ("llama_3_2_1b", "25W", 512, 995.03),
    ("llama_3_2_1b", "25W", 1024, 1372.47),
    ("llama_3_2_1b", "25W", 2048, 1669.77),
    ("qwen2_5_0_5b", "25W", 512, 1400.48),
    ("qwen2_5_0_5b", "25W", 1024, 2023.14),
    ("qwen2_5_0_5b", "25W", 2048, 2506.83),
    ("qwen2_5_0_5b", "7W", 2048, 800.34),
)
_BUILDS = {"llama_cpp": "b9292", "ollama": "0.24.0"}
_SLOW_HYBRID = "Ollama 0.24.0 runs this hybrid model at a fraction of its speed, as the source itself says"


def _decode(engine: str, model: str, preset: str, speeds: tuple[float, ...]) -> tuple[Anchor, ...]:
    odd = engine == "ollama" and model.startswith("lfm2")
    return tuple(
        Anchor(
            board="orin_nano_8gb",
            mode=mode,
            engine=engine,
            version=_BUILDS[engine],
            model=model,
            format=preset,
            prompt_tokens=2048,
            generated_tokens=256,
            decode_tokens_per_s=speed,
            unfitted=_SLOW_HYBRID if odd else "",
            note="LFM2.5, which has the shape of LFM2" if model.startswith("lfm2") else "",
        )
        for mode, speed in zip(_MODES, speeds, strict=True)
    )


def _cells() -> tuple[Anchor, ...]:
    own = tuple(
        Anchor(
            board="orin_nano_8gb",
            mode=mode,
            engine="llama_cpp",
            version=_BUILDS["llama_cpp"],
            model="llama_3_2_1b",
            format="Q4_K_M",
            prompt_tokens=prompt,
            generated_tokens=generated,
            # the table above has the cell of 2,048 tokens already
            decode_tokens_per_s=None if prompt == 2048 else decode,
            prefill_tokens_per_s=prefill,
        )
        for mode, prompt, generated, decode, prefill in _CELLS
    )
    ollama = tuple(
        Anchor(
            board="orin_nano_8gb",
            mode=mode,
            engine="ollama",
            version=_BUILDS["ollama"],
            model=model,
            format="Q4_K_M",
            prompt_tokens=prompt,
            generated_tokens=256,
            prefill_tokens_per_s=prefill,
        )
        for model, mode, prompt, prefill in _OLLAMA_CELLS
    )
    return own + ollama


SOURCE = AnchorSource(
    title="Tiny LLM Benchmark: Jetson Orin Nano Super 8GB (smolhub.com)",
    address="https://www.smolhub.com/posts/jetson-nano-super-benchmark-non-reasoning/ (2026-05-29); cells from "
    "YuvrajSingh-mist/smolperfbenchmark leaderboard/data.min.json @ ba92a6e0b, CC BY 4.0, Yuvraj Singh",
    method="aiperf, 20 requests a cell, one user, clocks locked with jetson_clocks, L4T 36.4.7, CUDA 12.6; prompt "
    "speed "
    "is prompt tokens ÷ time to the first token, so it carries the server's own time",
    anchors=(
        *(anchor for row in _ROWS for anchor in _decode("llama_cpp", row[0], row[1], row[2])),
        *(anchor for row in _ROWS for anchor in _decode("ollama", row[0], row[1], row[3])),
        *_cells(),
    ),
)
