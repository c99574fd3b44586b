"""llama.cpp on Orin, from the issues of other projects that compare themselves with it."""

from __future__ import annotations

from memfit.speed.records import Anchor, AnchorSource

SOURCE = AnchorSource(
    title="realizar issue 120, MiniCPM issue 331",
    address="https://github.com/paiml/realizar/issues/120 (2026-03-04), https://github.com/OpenBMB/MiniCPM/issues/331 "
    "(2025-12-09)",
    method="120: Orin Nano 8GB at 102 GB/s, Qwen2.5-Coder-1.5B, 60 s of load by one user, power mode not told; 331: "
    "AGX Orin, "
    "highest mode and jetson_clocks, about 25 with Qwen3 8B",
    anchors=(
        Anchor(
            board="orin_nano_8gb",
            engine="llama_cpp",
            model="qwen2_5_1_5b",
            format="Q4_K_M",
            decode_tokens_per_s=32.1,
            note="Qwen2.5-Coder-1.5B, which has the shape of Qwen2.5-1.5B",
        ),
        Anchor(
            board="orin_nano_8gb",
            engine="ollama",
            model="qwen2_5_1_5b",
            format="Q4_K_M",
            decode_tokens_per_s=11.3,
            unfitted="a third of what the same engine does elsewhere; nothing is told of its load on the GPU",
        ),
        Anchor(
            board="agx_orin_64gb",
            mode="MAXN",
            engine="llama_cpp",
            model="qwen3_8b",
            format="Q4_K_M",
            decode_tokens_per_s=25.0,
            note="about, as written",
        ),
    ),
)
