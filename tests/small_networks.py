"""Small models of the architectures that can be recovered, with random weights, as GGUF files."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

from memfit.model.gguf.writer import Typed, Writable, write_header

VOCABULARY = 320
WIDTH, HEADS, KV_HEADS, HEAD, FEED_FORWARD, LAYERS = 128, 4, 2, 48, 256, 2


def shapes(architecture: str, *, tied: bool = False, factors: bool = False) -> dict[str, tuple[int, ...]]:
    """Dims of every tensor, the row first."""
    head = WIDTH // HEADS if architecture == "qwen2" else HEAD  # which says nothing of its own length
    found: dict[str, tuple[int, ...]] = {"token_embd.weight": (WIDTH, VOCABULARY), "output_norm.weight": (WIDTH,)}
    if not tied:
        found["output.weight"] = (WIDTH, VOCABULARY)
    if factors:
        found["rope_freqs.weight"] = (head // 2,)
    for layer in range(LAYERS):
        of: dict[str, tuple[int, ...]] = {
            "attn_norm.weight": (WIDTH,),
            "attn_q.weight": (WIDTH, HEADS * head),
            "attn_k.weight": (WIDTH, KV_HEADS * head),
            "attn_v.weight": (WIDTH, KV_HEADS * head),
            "attn_output.weight": (HEADS * head, WIDTH),
            "ffn_norm.weight": (WIDTH,),
            "ffn_gate.weight": (WIDTH, FEED_FORWARD),
            "ffn_up.weight": (WIDTH, FEED_FORWARD),
            "ffn_down.weight": (FEED_FORWARD, WIDTH),
        }
        if architecture == "qwen2":
            of |= {f"attn_{part}.bias": (of[f"attn_{part}.weight"][1],) for part in "qkv"}
        if architecture == "qwen3":
            of |= {f"attn_{part}_norm.weight": (head,) for part in "qk"}
        found |= {f"blk.{layer}.{name}": dims for name, dims in of.items()}
    return found


def write_small(path: Path, architecture: str, *, tied: bool = False, factors: bool = False, **extra: Writable) -> Path:
    """A model in F32 without a vocabulary; ``extra`` are more keys of the architecture, dots as double underscores."""
    import numpy as np

    random = np.random.default_rng(7)
    keys: dict[str, Writable] = {
        "vocab_size": VOCABULARY,
        "context_length": 256,
        "embedding_length": WIDTH,
        "block_count": LAYERS,
        "feed_forward_length": FEED_FORWARD,
        "attention.head_count": HEADS,
        "attention.head_count_kv": KV_HEADS,
        "attention.layer_norm_rms_epsilon": 1e-6,
        "rope.freq_base": 5000.0,
    }
    if architecture != "qwen2":
        keys |= {"attention.key_length": HEAD, "attention.value_length": HEAD, "rope.dimension_count": HEAD}
    keys |= {key.replace("__", "."): value for key, value in extra.items()}
    metadata: dict[str, Writable] = {
        "general.architecture": architecture,
        "tokenizer.ggml.model": "no_vocab",
        **{f"{architecture}.{key}": value for key, value in keys.items()},
    }
    metadata["general.file_type"] = Typed("u32", 0)
    tensors = shapes(architecture, tied=tied, factors=factors)
    head = BytesIO()
    write_header(head, metadata, [(name, dims, "F32") for name, dims in tensors.items()])
    with path.open("wb") as file:
        file.write(head.getvalue())
        for name, dims in tensors.items():
            file.write(_numbers(random, name, dims).astype(np.float32).tobytes())  # every size divides the alignment
    return path


def _numbers(random: Any, name: str, dims: tuple[int, ...]) -> Any:
    if name == "rope_freqs.weight":
        return random.uniform(1, 8, dims)
    if len(dims) == 1:
        return random.normal(1.0 if "norm" in name else 0.0, 0.3, dims)
    return random.normal(0, 2.0 * dims[0] ** -0.5, dims[::-1])
