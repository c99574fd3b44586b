"""What engines do with ggml's formats, by family: those of a GGUF file and of the presets made of them."""

from __future__ import annotations

from memfit.precision import _engines as on
from memfit.precision._format import Format
from memfit.precision._support import CPU, Support

CUDA = "llama.cpp ggml/src/ggml-cuda (0c1e57098): mmq.cu, mmvq.cu, common.cuh"
GGML_CPU = "llama.cpp ggml/src/ggml-cpu/quants.c (0c1e57098)"
OLLAMA = f"Ollama runs ggml: {CUDA}"
VLLM = "vLLM docs 0.15.1 features/quantization, GGUF"

# no CUDA kernel of ggml multiplies these: ggml_backend_cuda_device_supports_op, ggml-cuda.cu (0c1e57098)
_ON_THE_PROCESSOR = frozenset({"TQ1_0", "TQ2_0", "Q8_K"})
# plain numbers that hold no weights of a matrix
_NO_WEIGHTS = frozenset({"F64", "I8", "I16", "I32", "I64", "Q8_1", "Q8_K"})
_NO_GGUF = ("tensorrt_llm", "tensorrt_edge_llm", "mlc", "executorch", "onnxruntime", "ctranslate2")
# ggml types that vLLM's GGUF kernels read: vllm/model_executor/layers/quantization/gguf.py, its type lists
_READ_BY_VLLM = frozenset(
    {
        *("F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"),
        *("IQ1_M", "IQ1_S", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_XS", "IQ4_NL"),
    }
)


def supports(form: Format) -> tuple[Support, ...]:
    """Every entry for one of ggml's formats."""
    if form.name in _NO_WEIGHTS:
        return ()
    own = [
        entry for engine, source in (("llama_cpp", CUDA), ("ollama", OLLAMA)) for entry in _ggml(form, engine, source)
    ]
    return (*own, *_paged(form), *_torch(form), *on.never(*_NO_GGUF, says="reads no GGUF file"))


def _ggml(form: Format, engine: str, source: str) -> tuple[Support, ...]:
    processor = on.weight_only(engine, CPU, GGML_CPU, "expanded to 8-bit integers for dot products")
    if form.name == "Q8_0" or form.kind == "float":
        processor = on.native(engine, CPU, GGML_CPU, "dot products of the processor")
    if form.kind == "float":
        if form.name == "BF16":
            older = on.weight_only(engine, "0", source, "expanded to F32", before="8.0")
            return (processor, on.native(engine, "8.0", source), older)
        if form.name == "F16":
            older = on.weight_only(engine, "0", source, "expanded to F32", before="5.3")
            return (processor, on.native(engine, "5.3", source), older)
        return (processor, on.native(engine, "0", source))
    if form.name in _ON_THE_PROCESSOR:
        return (processor, on.weight_only(engine, "0", source, "no CUDA kernel: computed on the processor"))
    if form.kind == "microscaling":
        return (
            processor,
            on.native(engine, "12.0", f"{source}; blackwell_mma_available", "FP4 tensor cores of Blackwell 12.x"),
            on.weight_only(engine, "0", source, "expanded to 8-bit integers", before="12.0"),
        )
    older = on.weight_only(engine, "0", source, "expanded to floats", before="6.1")
    if form.name == "Q8_0":
        return (processor, on.native(engine, "6.1", source, "8-bit integer dot products"), older)
    return (processor, on.weight_only(engine, "6.1", source, "expanded to 8-bit integers for dot products"), older)


def _paged(form: Format) -> tuple[Support, ...]:
    if form.name not in _READ_BY_VLLM:
        return on.never("vllm", says=f"its GGUF reader knows no {form.name}")
    unknown = on.weight_only("sglang", "7.5", on.SGLANG, "gguf", unknown=True)
    return (on.weight_only("vllm", "7.0", VLLM, "experimental, one file, slower than its own formats"), unknown)


def _torch(form: Format) -> tuple[Support, ...]:
    source = f"{on.TRANSFORMERS}, GGUF"
    return (Support(engine="pytorch", how="unsupported", says="expanded to floats on load", source=source),)
