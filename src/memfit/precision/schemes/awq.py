"""Activation-aware quantization: 4-bit integers, groups of 128 with a scale and a packed zero point."""

from memfit.precision import _engines as on
from memfit.precision._scheme import AWQ_PAPER, Prior, Scheme, Stored

SCHEME = Scheme(
    name="AWQ",
    summary="4-bit integer, a 16-bit scale and a 4-bit zero point for 128 (W4A16)",
    weight_bits=4,
    group=128,
    scale_bits=16,
    zero_bits=4,
    tensors=(
        Stored(name="qweight", bits=4, per="number", packed="outputs"),
        Stored(name="qzeros", bits=4, per="group", packed="outputs"),
        Stored(name="scales", bits=16, per="group"),
    ),
    whole=128,
    quant_methods=("awq",),
    quality=Prior(loss="very low", perplexity=5.60, baseline=5.47, model="Llama-2-7B", source=AWQ_PAPER),
    support=(
        on.weight_only("vllm", "7.5", on.VLLM_AWQ, "Marlin, or AWQ's own kernel"),
        on.weight_only("sglang", "7.5", on.SGLANG, unknown=True),
        on.weight_only("tensorrt_llm", "8.0", on.TRTLLM_PRECISION),
        on.weight_only("tensorrt_edge_llm", "8.0", on.EDGE, "INT4 AWQ", unknown=True),
        on.weight_only("mlc", "0", on.MLC, "q4f16_autoawq", unknown=True),
        on.weight_only("onnxruntime", "8.0", on.ORT, "rewritten as MatMulNBits", unknown=True),
        on.weight_only("ctranslate2", "7.5", on.CT2),
        on.weight_only("pytorch", "7.5", on.TRANSFORMERS + ", AWQ", unknown=True),
        *on.never("executorch"),
        *on.GGUF_ONLY,
    ),
    source="vLLM vllm/model_executor/layers/quantization/auto_awq.py @ 0043d6b5: qweight (K, N / 8), qzeros (G, N / 8)",
    aliases=("w4a16", "w4a16 awq", "int4 awq", "int4"),
)
