"""The sizes of a ``tokenizer.json``."""

from __future__ import annotations

from pathlib import Path
from typing import Union

import msgspec

from memfit.model.shape import Tokenizer

NAME = "tokenizer.json"
MOST_BYTES = 64 << 20  # memfit's own bound: twice the largest vocabulary's file, so that this stays cheap


class _Model(msgspec.Struct):
    """``model``: the vocabulary is an object of numbers by token, or (Unigram) a list of tokens with their scores."""

    type: str = ""
    byte_fallback: bool = False
    vocab: Union[dict[str, int], list[tuple[str, float]]] = {}
    merges: list[Union[str, tuple[str, str]]] = []


class _File(msgspec.Struct):
    model: _Model


def read_tokenizer(folder: Path) -> Tokenizer | None:
    """Tokens and merges with the bytes of their text, None where there is no such file or it cannot be read.

    It decides nothing but some heap of an engine, and so is never an error.
    """
    path = folder / NAME
    try:
        if path.stat().st_size > MOST_BYTES:
            return None
        model = msgspec.json.decode(path.read_bytes(), type=_File).model
    except (OSError, ValueError, RecursionError):  # msgspec's errors and those of UTF-8 are ValueErrors
        return None
    try:
        tokens = model.vocab if isinstance(model.vocab, dict) else [token for token, _ in model.vocab]
        merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model.merges]
        return Tokenizer(
            kind=_kind(model),
            tokens=len(tokens),
            token_bytes=sum(len(token.encode()) for token in tokens),
            merges=len(merges),
            merge_bytes=sum(len(merge.encode()) for merge in merges),
        )
    except UnicodeEncodeError:
        return None


def _kind(model: _Model) -> str:
    """llama.cpp's name of the kind, ``tokenizer.ggml.model``."""
    if model.type == "WordPiece":
        return "bert"
    if model.type == "Unigram":
        return "t5"
    return "llama" if model.byte_fallback else "gpt2"
