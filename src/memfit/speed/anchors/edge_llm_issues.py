"""What users of TensorRT Edge-LLM reported in its issues."""

from __future__ import annotations

from memfit.speed.records import Anchor, AnchorSource

# issue 60: tokens/s with weights in 16, 8 and 4 bits
_ORIN: tuple[tuple[str, float, float, float], ...] = (
    ("qwen3_vl_4b", 20.2, 35.5, 52.2),
    ("qwen2_5_vl_3b", 27.2, 45.2, 71.8),
)

SOURCE = AnchorSource(
    title="TensorRT Edge-LLM issues 24, 60 and 95",
    address="https://github.com/NVIDIA/TensorRT-Edge-LLM/issues/60 (2026-03-25), /24 (2026-01-19), /95 (2026-05-25)",
    method="60: AGX Orin 64GB, JetPack 6.2, TensorRT 10.7, power mode not told; 24: Thor, llm_inference with an image, "
    "and llama-mtmd-cli beside it; 95: a user's 55 where the table has 90.2",
    anchors=(
        *(
            Anchor(
                board="agx_orin_64gb",
                engine="tensorrt_edge_llm",
                model=model,
                format=format,
                decode_tokens_per_s=speed,
                note="about, as written",
            )
            for model, *speeds in _ORIN
            for format, speed in zip(("FP16", "W8A16", "AWQ"), speeds, strict=True)
        ),
        Anchor(
            board="thor_t5000",
            engine="tensorrt_edge_llm",
            model="qwen2_5_vl_3b",
            format="FP16",
            prompt_tokens=512,
            generated_tokens=120,
            decode_tokens_per_s=32.8,
            prefill_tokens_per_s=8277.1,
        ),
        Anchor(
            board="thor_t5000",
            engine="llama_cpp",
            model="qwen2_5_vl_3b",
            format="F16",
            prompt_tokens=512,
            decode_tokens_per_s=35.78,
        ),
        Anchor(
            board="thor_t5000",
            engine="tensorrt_edge_llm",
            version="0.7.0",
            model="qwen3_4b",
            format="NVFP4",
            prompt_tokens=364,
            decode_tokens_per_s=55.0,
            unfitted="clocks were not locked: the same engine does 90.2 in the maintainers' table",
        ),
    ),
)
