"""Hugging Face folders of small models, with sparse weights."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from memfit.model.safetensors import BITS

Stored = tuple[str, tuple[int, ...], str]

LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "vocab_size": 320,
    "torch_dtype": "bfloat16",
}


def llama_tensors(*, layers: int = 2, rows: int = 320, dtype: str = "BF16") -> list[Stored]:
    """What transformers saves of ``LLAMA``: names and shapes, the outputs first."""
    tensors: list[Stored] = [("model.embed_tokens.weight", (rows, 64), dtype), ("model.norm.weight", (64,), dtype)]
    for index in range(layers):
        at = f"model.layers.{index}"
        shapes = {"q_proj": (64, 64), "k_proj": (32, 64), "v_proj": (32, 64), "o_proj": (64, 64)}
        tensors += [(f"{at}.self_attn.{name}.weight", shape, dtype) for name, shape in shapes.items()]
        widths = {"gate_proj": (96, 64), "up_proj": (96, 64), "down_proj": (64, 96)}
        tensors += [(f"{at}.mlp.{name}.weight", shape, dtype) for name, shape in widths.items()]
        tensors += [(f"{at}.{name}.weight", (64,), dtype) for name in ("input_layernorm", "post_attention_layernorm")]
    return [*tensors, ("lm_head.weight", (rows, 64), dtype)]


def write_safetensors(path: Path, tensors: Iterable[Stored]) -> None:
    """A file with these tensors, its data a hole."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape, dtype in tensors:
        bits = BITS[dtype]
        for size in shape:
            bits *= size
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [end, end + bits // 8]}
        end += bits // 8
    raw = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(raw)) + raw)
        file.truncate(8 + len(raw) + end)


def write_folder(
    folder: Path, config: Mapping[str, Any] = LLAMA, tensors: Iterable[Stored] = (), *, shards: int = 1
) -> Path:
    """A folder with a config, and weights in one file or several with an index."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    stored = list(tensors)
    if not stored:
        return folder
    if shards == 1:
        write_safetensors(folder / "model.safetensors", stored)
        return folder
    places: dict[str, str] = {}
    for number in range(shards):
        name = f"model-{number + 1:05d}-of-{shards:05d}.safetensors"
        part = stored[number::shards]
        write_safetensors(folder / name, part)
        places |= {tensor: name for tensor, _, _ in part}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return folder
