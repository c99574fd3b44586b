"""Models for the oracle's tests: shapes with tensors and no file."""

from __future__ import annotations

import importlib.util

import pytest

from memfit.engine._llama_cpp.oracle import Described
from memfit.model.metadata import Value

needs_engine = [
    pytest.mark.engine,
    pytest.mark.skipif(importlib.util.find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed"),
]


def llama(
    *,
    width: int,
    feed_forward: int,
    layers: int,
    heads: int,
    kv_heads: int,
    vocabulary: int,
    weights: str = "F16",
    context: int = 8192,
) -> Described:
    """A model of architecture llama, its output matrix apart from its embedding."""
    kv_width = width // heads * kv_heads
    metadata: dict[str, Value] = {
        "general.architecture": "llama",
        "llama.context_length": context,
        "llama.embedding_length": width,
        "llama.block_count": layers,
        "llama.feed_forward_length": feed_forward,
        "llama.vocab_size": vocabulary,
        "llama.attention.head_count": heads,
        "llama.attention.head_count_kv": kv_heads,
        "llama.rope.dimension_count": width // heads,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
    }
    tensors: list[tuple[str, tuple[int, ...], str]] = [("token_embd.weight", (width, vocabulary), weights)]
    for index in range(layers):
        block = f"blk.{index}."
        tensors += [
            (block + "attn_norm.weight", (width,), "F32"),
            (block + "attn_q.weight", (width, width), weights),
            (block + "attn_k.weight", (width, kv_width), weights),
            (block + "attn_v.weight", (width, kv_width), weights),
            (block + "attn_output.weight", (width, width), weights),
            (block + "ffn_norm.weight", (width,), "F32"),
            (block + "ffn_gate.weight", (width, feed_forward), weights),
            (block + "ffn_up.weight", (width, feed_forward), weights),
            (block + "ffn_down.weight", (feed_forward, width), weights),
        ]
    tensors += [("output_norm.weight", (width,), "F32"), ("output.weight", (width, vocabulary), weights)]
    return Described(metadata=metadata, tensors=tensors)


def llama_8b(weights: str = "Q4_0") -> Described:
    """The shape of Llama 3 8B."""
    return llama(width=4096, feed_forward=14336, layers=32, heads=32, kv_heads=8, vocabulary=128256, weights=weights)


def small(weights: str = "F16") -> Described:
    """Small enough to run: 15 M numbers."""
    return llama(
        width=512, feed_forward=1536, layers=3, heads=8, kv_heads=2, vocabulary=2048, weights=weights, context=1024
    )


def mamba(*, layers: int = 8, state: int = 128) -> Described:
    """A recurrent model of architecture mamba2; without tensors, which the engine makes itself."""
    return Described(
        metadata={
            "general.architecture": "mamba2",
            "mamba2.context_length": 8192,
            "mamba2.embedding_length": 1024,
            "mamba2.block_count": layers,
            "mamba2.vocab_size": 1024,
            "mamba2.ssm.conv_kernel": 4,
            "mamba2.ssm.inner_size": 2048,
            "mamba2.ssm.state_size": state,
            "mamba2.ssm.time_step_rank": 32,
            "mamba2.ssm.group_count": 1,
            "mamba2.attention.layer_norm_rms_epsilon": 1e-5,
        }
    )


def gemma() -> Described:
    """A sliding-window model of architecture gemma2: every second layer has a window."""
    return Described(
        metadata={
            "general.architecture": "gemma2",
            "gemma2.context_length": 8192,
            "gemma2.embedding_length": 256,
            "gemma2.block_count": 4,
            "gemma2.feed_forward_length": 512,
            "gemma2.vocab_size": 1024,
            "gemma2.attention.head_count": 4,
            "gemma2.attention.head_count_kv": 2,
            "gemma2.attention.key_length": 64,
            "gemma2.attention.value_length": 64,
            "gemma2.attention.layer_norm_rms_epsilon": 1e-6,
            "gemma2.attention.sliding_window": 512,
        }
    )
