"""NVIDIA FP4: E2M1 numbers, an E4M3 scale for every 16, one F32 scale a matrix."""

from memfit.precision import _engines as on
from memfit.precision._scheme import Scheme, Stored

SCHEME = Scheme(
    name="NVFP4",
    summary="4-bit float, an 8-bit float scale for 16 and one 32-bit scale a matrix",
    weight_bits=4,
    group=16,
    scale_bits=8,
    activation_bits=4,
    tensors=(
        Stored(name="weight", bits=4, per="number"),
        Stored(name="weight_scale", bits=8, per="group"),
        Stored(name="weight_scale_2", bits=32, per="matrix"),
        Stored(name="input_scale", bits=32, per="matrix"),
    ),
    whole=16,
    quant_methods=("modelopt", "modelopt_fp4", "compressed-tensors"),
    support=(
        on.native("vllm", "10.0", on.VLLM_FP4),
        on.weight_only("vllm", "7.5", on.VLLM_FP4, "Marlin, W4A16", before="10.0"),
        on.native("sglang", "10.0", on.SGLANG, "modelopt_fp4"),
        on.native("tensorrt_llm", "10.0", on.ORT_FP4),
        on.native("tensorrt_edge_llm", "10.0", on.EDGE),
        *on.never("mlc", "executorch", "onnxruntime", "ctranslate2", "pytorch"),
        *on.never("llama_cpp", "ollama", says="read as GGUF: convert it, or take the preset NVFP4"),
    ),
    source="vLLM compressed_tensors_w4a16_nvfp4.py @ 17b6501a, create_weights; ModelOpt stores input_scale beside",
    aliases=("modelopt fp4", "fp4"),
)
