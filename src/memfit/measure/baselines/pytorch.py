"""PyTorch, eager."""

from memfit.measure.baselines._runtime import Runtime

RUNTIME = Runtime(
    name="PyTorch",
    module="torch",
    distribution="torch",
    statement="""
import torch
device = "cuda" if torch.cuda.is_available() else "cpu"
with torch.inference_mode():
    product = torch.ones(8, 8, device=device) @ torch.ones(8, 8, device=device)
    total = float(product.sum())
""",
    brings_up="one product of 8 × 8 matrices, on the GPU where there is one",
    summary="PyTorch without compilation",
    documented_low_bytes=500_000_000,
    documented_high_bytes=1_000_000_000,
    note="memory that a CUDA context takes on the GPU's side is in no PSS",
    aliases=("torch",),
)
