"""One 2B model on an Orin Nano Super with three engines."""

from __future__ import annotations

import msgspec

from memfit.speed.records import Anchor, AnchorSource

_ANCHOR = Anchor(
    board="orin_nano_8gb",
    mode="MAXN_SUPER",
    engine="llama_cpp",
    model="qwen3_vl_2b",
    format="Q4_K_M",
    prompt_tokens=30,
    generated_tokens=128,
    note="Cosmos-Reason2-2B, which has the shape of Qwen3-VL-2B; text only",
)

SOURCE = AnchorSource(
    title="Jetson Orin Nano Benchmarks: VLM",
    address="hokwangchoi/jetson-orin-nano-benchmarks vlm-benchmarks/assets/results: llamacpp/*_233102_streaming.json "
    "and "
    "vllm/*_235455_streaming.json @ 3e3746e33, trt/trt_profile_text_5x_20260419_013103.json @ 719b9e469",
    method="medians of 5 runs of one text prompt, greedy, MAXN_SUPER with jetson_clocks, L4T 36.4.7; time per output "
    "token: 26.03 ms (llama.cpp), 17.34 ms (vLLM), 16.07 ms (TensorRT Edge-LLM); the prompt's length is not told for "
    "the first two",
    anchors=(
        msgspec.structs.replace(_ANCHOR, decode_tokens_per_s=38.4),
        msgspec.structs.replace(_ANCHOR, engine="vllm", format="W4A16", decode_tokens_per_s=57.66),
        msgspec.structs.replace(
            _ANCHOR,
            engine="tensorrt_edge_llm",
            format="AWQ",
            prompt_tokens=19,
            generated_tokens=83,
            decode_tokens_per_s=62.24,
        ),
    ),
)
