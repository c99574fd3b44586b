"""vLLM."""

from memfit.measure.baselines._runtime import Runtime

RUNTIME = Runtime(
    name="vLLM",
    module="vllm",
    distribution="vllm",
    statement="""
import torch
from vllm import LLM, SamplingParams
parameters = SamplingParams(max_tokens=1)
if torch.cuda.is_available():
    torch.ones(1, device="cuda").sum().item()
""",
    brings_up="the package with its engine classes, and a CUDA context where there is a GPU",
    summary="server for many users",
    note="the document has no row for it; its worker processes come with a model, and are not in this figure",
)
