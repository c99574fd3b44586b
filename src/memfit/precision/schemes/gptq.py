"""GPTQ with an order of columns: 4-bit integers, groups of 128 with a scale and a packed zero point."""

from memfit.precision import _engines as on
from memfit.precision._scheme import AWQ_PAPER, Prior, Scheme, Stored

SCHEME = Scheme(
    name="GPTQ",
    summary="4-bit integer, a 16-bit scale and a 4-bit zero point for 128, 32 bits a column (W4A16)",
    weight_bits=4,
    group=128,
    scale_bits=16,
    zero_bits=4,
    tensors=(
        Stored(name="qweight", bits=4, per="number", packed="inputs"),
        Stored(name="qzeros", bits=4, per="group", packed="outputs"),
        Stored(name="scales", bits=16, per="group"),
        Stored(name="g_idx", bits=32, per="column"),
    ),
    quant_methods=("gptq",),
    quality=Prior(loss="low", perplexity=5.63, baseline=5.47, model="Llama-2-7B", source=f"{AWQ_PAPER}: GPTQ-R"),
    support=(
        on.weight_only("vllm", "7.0", on.VLLM, "Marlin, or GPTQ's own kernel"),
        on.weight_only("sglang", "7.5", on.SGLANG, unknown=True),
        on.weight_only("tensorrt_llm", "8.0", on.TRTLLM_JETSON, "INT4 GPTQ"),
        on.weight_only("tensorrt_edge_llm", "8.0", on.EDGE, "INT4 GPTQ", unknown=True),
        on.weight_only("onnxruntime", "8.0", on.ORT, "rewritten as MatMulNBits", unknown=True),
        on.weight_only("pytorch", "7.0", on.TRANSFORMERS + ", GPTQ", unknown=True),
        *on.never("mlc", "executorch", "ctranslate2"),
        *on.GGUF_ONLY,
    ),
    source="AutoGPTQ's QuantLinear, as vLLM reads it: qweight (K / 8, N), qzeros (G, N / 8), scales (G, N), g_idx (K)",
    aliases=("w4a16 gptq", "int4 gptq", "gptq int4", "desc act"),
)
