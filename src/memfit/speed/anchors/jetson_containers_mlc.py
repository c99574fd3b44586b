"""MLC on an AGX Orin, from the issues of jetson-containers."""

from __future__ import annotations

from memfit.speed.records import Anchor, AnchorSource

SOURCE = AnchorSource(
    title="jetson-containers issues 412 and 451",
    address="https://github.com/dusty-nv/jetson-containers/issues/412 (2024-03-07), /451 (2024-03-25)",
    method="mlc benchmark.py, 16 tokens of prompt, 128 generated; 412: the maintainer's 42.9 with q4f16_ft; 451: at "
    "most "
    "about 5 with Llama-2-70B, left out because the card is another model's. A user's 19.3 in the default mode is left "
    "out: the maintainer asks for the highest",
    anchors=(
        Anchor(
            board="agx_orin_64gb",
            mode="MAXN",
            engine="mlc",
            model="llama_2_7b",
            format="q4f16",
            prompt_tokens=16,
            generated_tokens=128,
            decode_tokens_per_s=42.9,
            prefill_tokens_per_s=582.8,
        ),
    ),
)
