"""Turns parameters and tokenizer into the GGUF file that the project ships."""

from __future__ import annotations

from pathlib import Path

import torch

from memfit.model.gguf.writer import Typed, Writable
from tiny.byte_pair import Tokenizer
from tiny.gguf_file import write
from tiny.network import Parameters, Sizes

NAME = "memfit-tiny"
_DESCRIPTION = "A small language model of Python source, for testing the memory and quality of quantization"
_NORMAL, _CONTROL = 1, 3  # enum llama_token_type, include/llama.h (0c1e57098)
_MOSTLY_F16 = 1  # enum llama_ftype, include/llama.h


def metadata(sizes: Sizes, tokenizer: Tokenizer) -> dict[str, Writable]:
    """The key-value pairs that llama.cpp needs to load the file, and the few that say what it is."""
    return {
        "general.architecture": "llama",
        "general.type": "model",
        "general.name": NAME,
        "general.description": _DESCRIPTION,
        "general.license": "apache-2.0",
        "general.file_type": _MOSTLY_F16,
        "general.quantization_version": 2,
        "llama.vocab_size": sizes.n_vocab,
        "llama.context_length": sizes.n_ctx_train,
        "llama.embedding_length": sizes.n_embd,
        "llama.block_count": sizes.n_layer,
        "llama.feed_forward_length": sizes.n_ff,
        "llama.attention.head_count": sizes.n_head,
        "llama.attention.head_count_kv": sizes.n_head_kv,
        "llama.attention.layer_norm_rms_epsilon": sizes.rms_epsilon,
        "llama.rope.dimension_count": sizes.head_size,
        "llama.rope.freq_base": sizes.rope_base,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": Typed("str", tuple(tokenizer.spellings())),
        "tokenizer.ggml.token_type": Typed("i32", (*[_NORMAL] * (tokenizer.n_vocab - 1), _CONTROL)),
        "tokenizer.ggml.merges": Typed("str", tuple(tokenizer.merge_lines())),
        "tokenizer.ggml.bos_token_id": tokenizer.end_of_text,
        "tokenizer.ggml.eos_token_id": tokenizer.end_of_text,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.add_eos_token": False,
    }


def export(path: Path, p: Parameters, sizes: Sizes, tokenizer: Tokenizer) -> None:
    """Write the model: matrices as F16, norms as F32."""
    tensors = {name: tensor if tensor.ndim == 1 else tensor.to(torch.float16) for name, tensor in p.items()}
    write(path, metadata(sizes, tokenizer), tensors)
