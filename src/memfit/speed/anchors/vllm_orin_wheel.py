"""A 35B mixture of experts on an AGX Orin: vLLM with Marlin kernels, and llama.cpp."""

from __future__ import annotations

from memfit.speed.records import Anchor, AnchorSource

_DEPTHS: tuple[tuple[int, float], ...] = ((38, 31.4), (4000, 30.9), (20_000, 29.2))

SOURCE = AnchorSource(
    title="vLLM 0.17.0: pre-built wheel for Jetson Orin",
    address="https://huggingface.co/thehighnotes/vllm-jetson-orin",
    method="AGX Orin 64GB, Qwen3.5-35B-A3B, streaming; power mode not told; the length of the prefill test is not "
    "told, 20,000 "
    "tokens are taken from the end-to-end row, whose 17 s and 47 s they explain with the decode speeds",
    anchors=(
        Anchor(
            board="agx_orin_64gb",
            engine="vllm",
            version="0.17.0",
            model="qwen3_5_35b_a3b",
            format="AWQ",
            prompt_tokens=20_000,
            prefill_tokens_per_s=2001.0,
        ),
        Anchor(
            board="agx_orin_64gb",
            engine="llama_cpp",
            model="qwen3_5_35b_a3b",
            format="Q4_K_M",
            prompt_tokens=20_000,
            prefill_tokens_per_s=523.0,
            unfitted="llama.cpp's only prompt of a mixture; its experts get 16 tokens of each 512",
        ),
        *(
            Anchor(
                board="agx_orin_64gb",
                engine="vllm",
                version="0.17.0",
                model="qwen3_5_35b_a3b",
                format="AWQ",
                prompt_tokens=depth,
                decode_tokens_per_s=speed,
                note="GPTQ-Int4 with Marlin",
            )
            for depth, speed in _DEPTHS
        ),
        *(
            Anchor(
                board="agx_orin_64gb",
                engine="llama_cpp",
                model="qwen3_5_35b_a3b",
                format="Q4_K_M",
                prompt_tokens=depth,
                decode_tokens_per_s=22.5,
            )
            for depth, _ in _DEPTHS
        ),
    ),
)
