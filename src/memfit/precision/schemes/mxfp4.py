"""OCP microscaling FP4: E2M1 numbers, one E8M0 exponent for 32, as gpt-oss is published."""

from memfit.precision import _engines as on
from memfit.precision._scheme import Scheme, Stored

SCHEME = Scheme(
    name="MXFP4",
    summary="4-bit float, one 8-bit exponent for 32; of a mixture of experts the experts alone",
    weight_bits=4,
    group=32,
    scale_bits=8,
    tensors=(
        Stored(name="blocks", bits=4, per="number"),
        Stored(name="scales", bits=8, per="group"),
    ),
    experts_only=True,
    whole=32,
    quant_methods=("mxfp4",),
    support=(
        on.weight_only("vllm", "8.0", on.VLLM_MXFP4, "Marlin; FlashInfer on 9.0 and 10.0"),
        on.weight_only("sglang", "8.0", on.SGLANG, "computed in BF16", unknown=True),
        on.weight_only("pytorch", "7.5", on.TRANSFORMERS + ", MXFP4", "triton kernels, or expanded to BF16 on load"),
        *on.never("tensorrt_edge_llm", "mlc", "executorch", "onnxruntime", "ctranslate2"),
        *on.never("llama_cpp", "ollama", says="read as GGUF: take the preset MXFP4_MOE, which runs everywhere"),
    ),
    source="vLLM vllm/model_executor/layers/quantization/mxfp4.py @ 007d5005: two numbers a byte, mxfp4_block 32",
    aliases=("mx fp4", "gpt oss"),
)
