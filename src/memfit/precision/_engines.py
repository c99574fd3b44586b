"""What engines do with the formats of checkpoints, said once where several formats share it.

Sources are named by file and commit, or by the version of a documentation.
"""

from __future__ import annotations

from memfit.precision._support import CPU, How, Support

VLLM = "vLLM docs 0.15.1 features/quantization, table of supported hardware"
VLLM_FP8 = "vLLM docs 0.32 features/quantization/llm_compressor/fp8: weight-only from 7.5, W8A8 from 8.9"
VLLM_LAYERS = "vllm/model_executor/layers/quantization"
VLLM_LEAST = "vLLM docs 0.15.1 features/quantization: Volta (7.0) is the oldest of its table"
VLLM_AWQ = f"vLLM {VLLM_LAYERS}/auto_awq.py @ 0043d6b5, get_min_capability"
VLLM_INT8 = f"vLLM {VLLM_LAYERS}/compressed_tensors/schemes/compressed_tensors_w8a8_int8.py @ 00ba7ff1"
VLLM_WNA16 = f"vLLM {VLLM_LAYERS}/compressed_tensors/schemes/compressed_tensors_wNa16.py @ 519b90d4: 8.0"
VLLM_FP4 = f"vLLM {VLLM_LAYERS}/compressed_tensors/schemes/compressed_tensors_w4a16_nvfp4.py @ 17b6501a: 7.5"
VLLM_MXFP4 = f"vLLM {VLLM_LAYERS}/mxfp4.py @ 007d5005, get_min_capability and get_mxfp4_backend"
VLLM_BNB = f"vLLM {VLLM_LAYERS}/bitsandbytes.py @ 01f5395f, get_min_capability"
VLLM_DTYPE = "vLLM vllm/v1/worker/gpu_worker.py @ 0012cf69, _check_if_gpu_supports_dtype"
SGLANG = "SGLang docs/advanced_features/quantization.md @ 0f4513c2, platform compatibility"
SGLANG_INT8 = "SGLang python/sglang/srt/layers/quantization/w8a8_int8.py @ 00a0b9b4, get_min_capability"
TRTLLM = "TensorRT-LLM docs 0.18.2 reference/support-matrix and 1.0.0 features/quantization"
TRTLLM_PRECISION = "TensorRT-LLM docs/source/reference/precision.md @ 1020a8d7; Ampere in its support matrix"
TRTLLM_JETSON = "TensorRT-LLM README4Jetson.md @ 20a7cec9 (v0.12.0-jetson), and its support matrix"
EDGE = "TensorRT Edge-LLM docs/source/developer_guide/02_Supported_Models.md @ 105ec971, platform compatibility"
EDGE_METHODS = "TensorRT Edge-LLM docs/source/user_guide/features/quantization.md @ f01f10ee, supported methods"
MLC = "MLC LLM python/mlc_llm/quantization/quantization.py @ 16c3dc4a"
CT2 = "CTranslate2 docs/quantization.md @ 087d0850"
EXECUTORCH = "ExecuTorch examples/models/llama/README.md @ 00748569"
ORT = "NVIDIA Model Optimizer docs, support matrix: deployment on ONNX Runtime"
ORT_FP4 = "NVIDIA Model Optimizer docs, support matrix: FP4 on Blackwell and later, TensorRT-LLM"
ONNX = "ONNX tensor types; ONNX Runtime docs/ContribOperators.md"
EXL3 = "exllamav3 modules/quant/exl3.py @ 0c647502"
SQUEEZE = "SqueezeLLM, arXiv 2306.07629, and its published code"
CUDA_HALF = "CUDA C++ Programming Guide, compute capabilities: half-precision arithmetic from 5.3"
BNB = "bitsandbytes docs 0.48.1, installation: NVIDIA CUDA"
TRANSFORMERS = "Transformers docs, quantization"
TORCH = "NVIDIA Transformer Engine docs, datatype and hardware support matrix"
READS_GGUF = "llama.cpp README (0c1e57098): models are GGUF files"

_READERS = {
    "vllm": ("vLLM", VLLM),
    "sglang": ("SGLang", SGLANG),
    "tensorrt_llm": ("TensorRT-LLM", TRTLLM),
    "tensorrt_edge_llm": ("TensorRT Edge-LLM", EDGE_METHODS),
    "mlc": ("MLC", MLC),
    "executorch": ("ExecuTorch", EXECUTORCH),
    "onnxruntime": ("ONNX Runtime", ORT),
    "ctranslate2": ("CTranslate2", CT2),
    "pytorch": ("PyTorch", TRANSFORMERS),
    "llama_cpp": ("llama.cpp", READS_GGUF),
    "ollama": ("Ollama", READS_GGUF),
}


def native(engine: str, least: str, source: str, says: str = "", *, before: str = "", unknown: bool = False) -> Support:
    """Computed in the format from this capability on."""
    return _support(engine, least, "native", says or "computed as it is stored", source, before, unknown)


def weight_only(
    engine: str, least: str, source: str, says: str = "", *, before: str = "", unknown: bool = False
) -> Support:
    """Stored in the format and expanded on the fly from this capability on."""
    return _support(engine, least, "weight-only", says or "expanded to 16 bits on the fly", source, before, unknown)


def never(*engines: str, says: str = "") -> tuple[Support, ...]:
    """Engines that have no reader of such checkpoints; for the GGUF ones that is all they read."""
    found = []
    for engine in engines:
        name, source = _READERS[engine]
        gguf = source is READS_GGUF
        why = says or (f"{name} reads GGUF files only" if gguf else f"{name} has no reader of this format")
        found += [_support(engine, least, "unsupported", why, source, "", False) for least in ("0", CPU)]
    return tuple(found)


def _support(engine: str, least: str, how: How, says: str, source: str, before: str, unknown: bool) -> Support:
    return Support(
        engine=engine,
        least=least,
        before=before,
        how=how,
        says=says,
        source=source,
        below="unknown" if unknown else "unsupported",
    )


GGUF_ONLY = never("llama_cpp", "ollama")
FLOATS_AS_GGUF = never("llama_cpp", "ollama", says="read as GGUF: take the preset of the same name")

FP8 = (
    native("vllm", "8.9", VLLM_FP8),
    weight_only("vllm", "7.5", VLLM_FP8, "Marlin, W8A16", before="8.9"),
    native("sglang", "8.9", SGLANG, unknown=True),
    weight_only("sglang", "8.0", SGLANG, "Marlin, W8A16", before="8.9", unknown=True),
)
