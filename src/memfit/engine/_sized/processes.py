"""What processes of other engines take before a model, from published figures; MB there are 10^6 bytes."""

from __future__ import annotations

from memfit.engine._sized.figures import Range
from memfit.units import MIB

_MB = 10**6
BUDGET = "'The Memory Budget', section 6"

# PyTorch (eager), CUDA context included: 500 MB to 1 GB
PYTORCH = Range(500 * _MB, 750 * _MB, 1000 * _MB)
# PyTorch without a GPU: 206 MiB measured (docs/baselines.md), libraries of transformers beside it
PYTORCH_CPU = Range(206 * MIB, 400 * MIB, 700 * MIB)
# TensorRT-LLM: 200 to 500 MB; its README for Jetson has 0.5 GB between all memory and the GPU's, with mmap
TENSORRT_LLM = Range(200 * _MB, 500 * _MB, 1000 * _MB)
# ONNX Runtime: 100 to 300 MB by execution providers; 42 MiB measured without a GPU (docs/baselines.md)
ONNXRUNTIME = Range(42 * MIB, 150 * _MB, 300 * _MB)
# CUDA context and libraries: 0.3 GB in 'LLM Optimization on Jetson' section 3.3, 200 to 500 MB in 'The Memory Budget'
CUDA = Range(150 * MIB, 300 * MIB, 500 * MIB)
# CTranslate2: 25 MiB measured without a GPU (docs/baselines.md), a Python process and its tokenizer around it
CTRANSLATE2 = Range(25 * MIB, 80 * MIB, 200 * MIB)


def times(size: Range, low: int, likely: int, high: int) -> Range:
    """A figure for several processes of a kind."""
    return Range(size.low_bytes * low, size.likely_bytes * likely, size.high_bytes * high)
