"""Synthetic model files: headers of real sizes whose tensor data is a hole, 8 MB on disk or less."""

from __future__ import annotations

from pathlib import Path

from memfit.model import find_model
from memfit.model.cards import CARDS
from memfit.model.gguf.writer import Typed, Writable, write_model

FORMAT = "Q4_K_M"

# token_type of a GGUF vocabulary (llama_token_type, llama.cpp include/llama.h, 0c1e57098)
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6

_LETTERS = "etaoinshrdlucmfw"


def write_stub_file(card_name: str, path: Path) -> None:
    """A model as its card describes it, without vocabulary: the header decides what a deployment takes."""
    _write(card_name, path, {"tokenizer.ggml.model": "no_vocab"})


def write_whole_file(card_name: str, path: Path) -> None:
    """A model with a synthetic vocabulary of the real one's size and kind, merges included."""
    card = CARDS.get(card_name)
    tokens = card.metadata["vocab_size"]
    if not isinstance(tokens, int):
        raise TypeError(f"vocab_size of {card_name} is {tokens!r}")
    make = sentencepiece_vocabulary if card.tokenizer == "llama" else byte_pair_vocabulary
    _write(card_name, path, make(tokens))


def byte_pair_vocabulary(tokens: int) -> dict[str, Writable]:
    """A byte-pair vocabulary in the manner of Qwen2: its last 549 tokens have no merge."""
    names = _alphabet()
    names += _words(tokens - len(names), "Ġ")
    left = names[256 : tokens - 293]
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.tokens": Typed("str", names),
        "tokenizer.ggml.token_type": Typed("i32", [NORMAL] * tokens),
        "tokenizer.ggml.merges": Typed("str", [f"{word[:-2]} {word[-2:]}" for word in left]),
        "tokenizer.ggml.eos_token_id": tokens - 1,
        "tokenizer.ggml.bos_token_id": tokens - 1,
        "tokenizer.chat_template": "{# synthetic #}" + " " * 2500,
    }


def sentencepiece_vocabulary(tokens: int) -> dict[str, Writable]:
    """A sentencepiece vocabulary in the manner of Gemma: scores and no merges."""
    names = ["<pad>", "<eos>", "<bos>", "<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
    types = [CONTROL, CONTROL, CONTROL, UNKNOWN, *([BYTE] * 256)]
    words = _words(tokens - len(names), "▁")
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.pre": "default",
        "tokenizer.ggml.tokens": Typed("str", names + words),
        "tokenizer.ggml.scores": Typed("f32", [-float(index) for index in range(tokens)]),
        "tokenizer.ggml.token_type": Typed("i32", types + [NORMAL] * len(words)),
        "tokenizer.ggml.bos_token_id": 2,
        "tokenizer.ggml.eos_token_id": 1,
        "tokenizer.ggml.unknown_token_id": 3,
        "tokenizer.ggml.padding_token_id": 0,
        "tokenizer.chat_template": "{# synthetic #}" + " " * 2500,
    }


def _write(card_name: str, path: Path, tokenizer: dict[str, Writable]) -> None:
    header: dict[str, Writable] = {**CARDS.get(card_name).header(), **tokenizer}
    shape = find_model(card_name, format=FORMAT)
    write_model(path, header, [(tensor.name, tensor.dims, tensor.format) for tensor in shape.tensors])


def _words(count: int, space: str) -> list[str]:
    """Distinct words of 3 to 11 characters, about as long as the tokens of real vocabularies; half follow a space."""
    words = []
    for index in range(count):
        number, digits = index, []
        for _ in range(5 if count > 65536 else 4):
            number, digit = divmod(number, len(_LETTERS))
            digits.append(_LETTERS[digit])
        tail = "ing"[: index % 4]
        words.append((space if index % 2 else "Q") + "".join(digits) + tail)
    return words


def _alphabet() -> list[str]:
    """The 256 characters that stand for bytes in byte-pair vocabularies (GPT-2, ``bytes_to_unicode``)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    characters = {byte: chr(byte) for byte in printable}
    characters |= {byte: chr(256 + index) for index, byte in enumerate(others)}
    return [characters[byte] for byte in range(256)]
