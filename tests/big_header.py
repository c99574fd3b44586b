"""A file with the header of a real model: a vocabulary of 128,256 tokens, 280,147 merges, and holes for weights."""

from __future__ import annotations

import random
from pathlib import Path

from memfit.model._build import card_shape
from memfit.model.cards import CARDS
from memfit.model.gguf._values import padded
from memfit.model.gguf.writer import Typed, write_header


def write_model(path: Path, card: str = "llama_3_1_8b", *, tokens: int = 128256, merges: int = 280147) -> int:
    """Write it, sparse; returns the bytes of its header. Tokens get longer towards the end, as real ones do."""
    dice = random.Random(1)
    words = ["x" * min(3 + index * 9 // tokens + dice.randrange(3), 40) for index in range(tokens)]
    pairs = ["x" * (4 + index * 8 // max(merges, 1) + dice.randrange(4)) for index in range(merges)]
    shape = card_shape(CARDS.get(card), "Q4_K_M")
    metadata = {
        **CARDS.get(card).header(),
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.tokens": Typed("str", words),
        "tokenizer.ggml.token_type": Typed("i32", [1] * tokens),
        "tokenizer.ggml.merges": Typed("str", pairs),
        "tokenizer.chat_template": "{{ messages }}" * 400,
        "general.file_type": Typed("u32", 15),
    }
    specs = [(tensor.name, tensor.dims, tensor.format) for tensor in shape.tensors]
    with path.open("wb") as file:
        extent = write_header(file, metadata, specs)
        file.truncate(extent.file_bytes)
    assert extent.data_offset == padded(extent.data_offset, 32)
    return extent.data_offset
