"""Llama 2 with llama.cpp on an IGX Orin's own GPU."""

from __future__ import annotations

from memfit.speed.records import Anchor, AnchorSource

SOURCE = AnchorSource(
    title="holohub issue 170",
    address="https://github.com/nvidia-holoscan/holohub/issues/170 (2024-01-23)",
    method="llama.cpp of January 2024 on the iGPU of an IGX Orin, which the author found equal to an AGX Orin; `4-bit` "
    "is taken "
    "as Q4_0; 13B (13.3) and 70B (3.0) are left out: no card has their shapes",
    anchors=(
        Anchor(
            board="agx_orin_64gb",
            engine="llama_cpp",
            model="llama_2_7b",
            format="Q4_0",
            decode_tokens_per_s=22.5,
            unfitted="of January 2024: later builds are faster on this GPU",
        ),
    ),
)
