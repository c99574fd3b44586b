"""What the kernels lose on the other factor: activations are rounded to eight bits before most products.

Which format a product rounds them to is the engine's choice by the weight's format (``vec_dot_type``,
ggml_type_traits_cpu, ggml/src/ggml-cpu/ggml-cpu.c, 0c1e57098): blocks of 256 share a scale for K- and most i-quants,
blocks of 32 for the others. With six bits and more this is a large part of all that is lost, and fake quantization of
weights shows nothing of it.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from memfit.engine._llama_cpp._child.library import Library

BLOCKS = (32, 256)
_STEPS = 127.0  # on each side of zero: quantize_row_q8_0_ref, quantize_row_q8_K_ref, ggml/src/ggml-quants.c (0c1e57098)


class _CpuTraits(ctypes.Structure):
    """``ggml_type_traits_cpu``, ggml/include/ggml-cpu.h (0c1e57098)."""

    _fields_ = (
        ("from_float", ctypes.c_void_p),
        ("vec_dot", ctypes.c_void_p),
        ("vec_dot_type", ctypes.c_int),
        ("nrows", ctypes.c_int64),
    )


def shared_by(library: Library, kind: int, *, gpu: bool) -> int:
    """How many activations share a scale where they meet weights of this format; 0 where they are not rounded.

    Args:
        library: the engine.
        kind: ggml's number of the weight's format.
        gpu: the CUDA kernels compute, which round to blocks of 32 for every quantized format (``block_q8_1_mmq``,
            ggml/src/ggml-cuda/mmq.cuh, 0c1e57098).
    """
    size = library.function("ggml_blck_size", ctypes.c_int64, ctypes.c_int)
    traits = library.function("ggml_get_type_traits_cpu", ctypes.POINTER(_CpuTraits), ctypes.c_int)
    if size is None or size(kind) <= 1:
        return 0
    if gpu or traits is None:
        return min(BLOCKS)
    block = int(size(traits(kind).contents.vec_dot_type))
    return block if block > 1 else 0


def squared_loss(rows: Any, block: int) -> Any:
    """Squares of what rounding takes from each activation, (rows, columns) float32; None where blocks do not divide."""
    count, columns = rows.shape
    if columns % block:
        return None
    parts = rows.reshape(count, -1, block)
    scale = np.abs(parts).max(axis=2, keepdims=True) / _STEPS
    steps = np.divide(parts, scale, out=np.zeros_like(parts), where=scale > 0)
    lost = (np.rint(steps) - steps) * scale
    return (lost * lost).reshape(count, columns)
