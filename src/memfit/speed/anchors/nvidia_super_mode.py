"""NVIDIA's table of what Super mode brings: MLC on an Orin Nano before and after."""

from __future__ import annotations

from memfit.speed.records import Anchor, AnchorSource

# card, tokens/s before (15W, memory at 2133 MHz) and after (MAXN_SUPER)
_ROWS: tuple[tuple[str, float, float], ...] = (
    ("llama_3_1_8b", 14.0, 19.14),
    ("llama_3_2_3b", 27.7, 43.07),
    ("qwen2_5_7b", 14.2, 21.75),
    ("gemma_2_2b", 21.5, 34.97),
    ("gemma_2_9b", 7.2, 9.21),
    ("phi_3_5_mini", 24.7, 38.1),
    ("smollm2_1_7b", 41.0, 64.5),
)

SOURCE = AnchorSource(
    title="NVIDIA Jetson Orin Nano Developer Kit Gets a Super Boost",
    address="https://developer.nvidia.com/blog/nvidia-jetson-orin-nano-developer-kit-gets-a-super-boost/, read in "
    "msmcs-robotics/WayfindR-driver docs/jetson_orin_nano_llm_benchmarks.md @ 5c118c34c",
    method="MLC API with INT4 weights; `original` is the 15 W mode of the module without Super (GPU 625 MHz, 68 GB/s); "
    "lengths "
    "are not told",
    anchors=tuple(
        Anchor(
            board="orin_nano_8gb",
            mode=mode,
            engine="mlc",
            model=model,
            format="q4f16",
            decode_tokens_per_s=speed,
        )
        for model, *speeds in _ROWS
        for mode, speed in zip(("p3767_0003/15W", "MAXN_SUPER"), speeds, strict=True)
    ),
)
