"""TensorRT-LLM."""

from memfit.measure.baselines._runtime import Runtime

RUNTIME = Runtime(
    name="TensorRT-LLM",
    module="tensorrt_llm",
    distribution="tensorrt-llm",
    statement="""
import tensorrt_llm
import torch
torch.ones(1, device="cuda").sum().item()
""",
    brings_up="the package with its plug-ins, and a CUDA context",
    summary="NVIDIA's runtime for language models",
    documented_low_bytes=200_000_000,
    documented_high_bytes=500_000_000,
    note="memory on the GPU's side is in no PSS",
    aliases=("trt llm",),
)
