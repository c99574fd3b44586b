"""A made-up vocabulary of the right kind and size: an engine loads it, splits text with it and writes text with it.

Its words are strings of letters without meaning. Every byte has a token, so that any text can be split; every longer
token is a shorter one and a letter, so that a byte-pair tokenizer reaches it by merges and a sentencepiece one by
scores. Tokens take 6 to 7 bytes on average, as real ones do: 7.1 in the vocabulary of Falcon, 6.6 in that of Phi-3
(ggml-vocab-falcon.gguf and ggml-vocab-phi-3.gguf of llama.cpp).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from hashlib import shake_128
from itertools import count, islice
from struct import pack
from typing import NamedTuple

from memfit.errors import UsageError
from memfit.model.gguf._values import ARRAY, ARRAY_HEAD, CODES, ONE_U32, ONE_U64, STRING
from memfit.model.gguf.writer import Encoded, Writable
from memfit.model.shape import Tokenizer

_I32, _F32 = 5, 6  # type tags, ggml/include/gguf.h
# llama_token_type, llama.cpp include/llama.h (0c1e57098)
_NORMAL, _UNKNOWN, _CONTROL, _UNUSED, _BYTE = 1, 2, 3, 5, 6

_LETTERS = b"abcdefghijklmnopqrstuvwxyz"
_STEPS = (1, 3, 5, 7, 9, 11, 15, 17, 19, 21, 23, 25)  # none has a factor with 26 in common: no letter comes twice
_SPACE = "▁".encode()  # how sentencepiece writes a space
_BYTE_SPACE = "Ġ".encode()  # how GPT-2 writes the byte of a space

# Merges for a thousand tokens that are neither bytes nor special, where a conversion lists several ways to a token:
# merges and tokens as llama.cpp prints them when it loads such files (tokenizer.ggml.merges, tokenizer.ggml.tokens):
# Llama 3 280,147 and 128,256; Mistral tekken 269,443 and 131,072; gpt-oss 446,189 and 201,088; Gemma 4 514,906 and
# 262,144. Others have one merge a token: Qwen2 151,387 and 151,936; Falcon 64,784 and 65,024.
_MERGES = {"llama-bpe": 2190, "tekken": 2063, "gpt-4o": 2222, "gemma4": 1967}
_ONE_MERGE = 1000

# How text is split before merging (tokenizer.ggml.pre), by architecture; conversion/base.py of llama.cpp (0c1e57098)
_SPLITS = {
    "command-r": "command-r",
    "cohere2": "command-r",
    "deepseek2": "deepseek-llm",
    "falcon": "falcon",
    "falcon-h1": "falcon-h1",
    "gemma4": "gemma4",
    "gpt-oss": "gpt-4o",
    "gpt2": "gpt-2",
    "granite": "refact",
    "granitemoe": "refact",
    "granitehybrid": "dbrx",
    "lfm2": "lfm2",
    "lfm2moe": "lfm2",
    "llama4": "llama4",
    "mistral3": "tekken",
    "nemotron_h": "tekken",
    "nemotron_h_moe": "tekken",
    "olmo2": "dbrx",
    "phi2": "phi-2",
    "qwen2": "qwen2",
    "qwen2moe": "qwen2",
    "qwen2vl": "qwen2",
    "qwen3": "qwen2",
    "qwen3moe": "qwen2",
    "qwen3next": "qwen2",
    "qwen3vl": "qwen2",
    "qwen3vlmoe": "qwen2",
    "qwen35": "qwen35",
    "qwen35moe": "qwen35",
    "smollm3": "llama-bpe",
    "stablelm": "stablelm2",
    "starcoder2": "starcoder",
}
_LLAMA_3_TOKENS = 128256


class Vocabulary(NamedTuple):
    """The ``tokenizer.*`` keys of a header, and what the heap of an engine depends on."""

    metadata: dict[str, Writable]
    tokenizer: Tokenizer


class _Word(NamedTuple):
    """A token: ``before`` and a letter; the first of all have no ``before``."""

    text: bytes
    before: bytes


def vocabulary(kind: str, tokens: int, architecture: str, *, seed: int = 0) -> Vocabulary:
    """A vocabulary of ``tokens`` entries in the tokenizer of that kind (``gpt2``, ``llama``, ``bert``, …).

    Raises:
        UsageError: a kind that memfit cannot make up, or too few tokens for the bytes and special ones.
    """
    make = _KINDS.get(kind)
    if make is None:
        raise UsageError(
            f"no vocabulary can be made up for the tokenizer {kind!r}", hint="--vocabulary none leaves it out"
        )
    if tokens < _FEWEST_TOKENS:
        raise UsageError(
            f"a vocabulary of {tokens} tokens has no room for bytes and letters", hint="--vocabulary none leaves it out"
        )
    return make(tokens, architecture, _dice(seed))


def _byte_pair(tokens: int, architecture: str, dice: Iterator[int]) -> Vocabulary:
    alphabet = _byte_alphabet()
    special = ("<|begin_of_text|>", "<|end_of_text|>", "<|pad|>")
    words = list(islice(_words(dice, _BYTE_SPACE, roots=False), tokens - len(alphabet) - len(special)))
    texts = _Strings([*alphabet, *(word.text for word in words), *(text.encode() for text in special)])
    split = "llama-bpe" if architecture == "llama" and tokens == _LLAMA_3_TOKENS else _SPLITS.get(architecture)
    ratio = _ONE_MERGE if split == "gpt-4o" and architecture != "gpt-oss" else _MERGES.get(split or "", _ONE_MERGE)
    merges = _merges(words, ratio)
    end = tokens - len(special)
    metadata = {
        **_listed("gpt2", texts, [_NORMAL] * end + [_CONTROL] * len(special)),
        "tokenizer.ggml.pre": split or "default",
        "tokenizer.ggml.merges": merges.encoded(),
        **_special(bos=end, eos=end + 1, padding=end + 2),
    }
    return _described("gpt2", metadata, texts, merges)


def _gemma(tokens: int, architecture: str, dice: Iterator[int]) -> Vocabulary:
    """Byte pairs over sentencepiece's writing: spaces as ▁, and a token ``<0x0A>`` for every byte."""
    first = [b"<pad>", b"<eos>", b"<bos>", b"<unk>"]
    alphabet = [_SPACE, b"\n", *(bytes([letter]) for letter in _LETTERS)]
    before = [*first, *_byte_names(), *alphabet]
    words = list(islice(_words(dice, _SPACE, roots=False), tokens - len(before)))
    texts = _Strings([*before, *(word.text for word in words)])
    merges = _merges(words, _MERGES["gemma4"])
    kinds = [_CONTROL] * 3 + [_UNKNOWN] + [_BYTE] * 256 + [_NORMAL] * (tokens - len(first) - 256)
    metadata = {
        **_listed("gemma4", texts, kinds),
        "tokenizer.ggml.merges": merges.encoded(),
        **_special(padding=0, eos=1, bos=2, unknown=3),
    }
    return _described("gemma4", metadata, texts, merges)


def _sentence_piece(tokens: int, architecture: str, dice: Iterator[int]) -> Vocabulary:
    first = [b"<unk>", b"<s>", b"</s>"]
    before = [*first, *_byte_names(), _SPACE]
    last = [b"<|endoftext|>"]  # the engine asks for it in models that are called Phi-3
    words = islice(_words(dice, _SPACE, roots=True), tokens - len(before) - len(last))
    texts = _Strings([*before, *(word.text for word in words), *last])
    kinds = [_UNKNOWN, _CONTROL, _CONTROL] + [_BYTE] * 256 + [_NORMAL] * (tokens - len(first) - 257) + [_CONTROL]
    metadata = {
        **_listed("llama", texts, kinds),
        "tokenizer.ggml.scores": _numbers(
            _F32, [0.0] * len(before) + [-float(at) for at in range(tokens - len(before))]
        ),
        "tokenizer.ggml.pre": "default",
        **_special(unknown=0, bos=1, eos=2),
    }
    return _described("llama", metadata, texts)


def _word_piece(tokens: int, architecture: str, dice: Iterator[int]) -> Vocabulary:
    # the places of BERT's special tokens are what the engine assumes where a header does not tell
    names = {0: b"[PAD]", 100: b"[UNK]", 101: b"[CLS]", 102: b"[SEP]", 103: b"[MASK]"}
    first = [names.get(index, b"[unused%d]" % index) for index in range(104)]
    before = [*first, *(bytes([sign]) for sign in range(0x21, 0x7F) if sign not in _LETTERS), _SPACE]
    words = islice(_words(dice, _SPACE, roots=True), tokens - len(before))
    texts = _Strings([*before, *(word.text for word in words)])
    kinds = [_CONTROL if index in names else _UNUSED for index in range(104)] + [_NORMAL] * (tokens - 104)
    metadata = {
        **_listed("bert", texts, kinds),
        **_special(padding=0, unknown=100, cls=101, seperator=102, mask=103),  # the engine spells it so
    }
    return _described("bert", metadata, texts)


def _rwkv(tokens: int, architecture: str, dice: Iterator[int]) -> Vocabulary:
    """Tokens are bytes, written with escapes; the longest that fits is taken."""
    before = [b"<s>", *(_escaped(byte) for byte in range(256))]
    words = islice(_words(dice, b" ", roots=False), tokens - len(before))
    texts = _Strings([*before, *(word.text for word in words)])
    metadata = {**_listed("rwkv", texts, [_CONTROL] + [_NORMAL] * (tokens - 1)), **_special(eos=0)}
    return _described("rwkv", metadata, texts)


_KINDS: dict[str, Callable[[int, str, Iterator[int]], Vocabulary]] = {
    "bert": _word_piece,
    "gemma4": _gemma,
    "gpt2": _byte_pair,
    "llama": _sentence_piece,
    "rwkv": _rwkv,
}
_FEWEST_TOKENS = 512


def _dice(seed: int) -> Iterator[int]:
    """Endless random bytes. The random module's ways to choose may change with Python; a digest does not."""
    for number in count():
        yield from shake_128(f"memfit {seed} vocabulary {number}".encode()).digest(1 << 16)


def _words(dice: Iterator[int], space: bytes, *, roots: bool) -> Iterator[_Word]:
    """Endless different words, shorter ones first; half of them begin with ``space``.

    The words are a tree in which each has a few of the letters below it, so none comes twice. ``roots`` yields single
    letters too, where no alphabet has them already.
    """
    level = [bytes([letter]) for letter in _LETTERS]
    if roots:
        yield from (_Word(text, b"") for text in level)
    spaced = [space + letter for letter in level]
    yield from (_Word(text, space) for text in spaced)
    level += spaced
    while True:
        below = []
        for word in level:
            many, first, step = 1 + next(dice) % 6, next(dice), _STEPS[next(dice) % len(_STEPS)]
            for index in range(many):
                letter = (first + index * step) % len(_LETTERS)
                text = word + _LETTERS[letter : letter + 1]
                yield _Word(text, word)
                below.append(text)
        level = below


def _merges(words: list[_Word], ratio: int) -> _Strings:
    """The merge that makes each word, and further ways to cut the longer ones until there are ``ratio`` for 1000."""
    merges = _Strings(b"%b %b" % (word.before, word.text[len(word.before) :]) for word in words)
    wanted = len(words) * ratio // 1000
    cut = 2
    while merges.count < wanted:
        ways = (
            b"%b %b" % (word.text[:-cut], word.text[-cut:])
            for word in words
            if len(word.text) >= cut + len(_SPACE)  # and never inside the letters of a space
        )
        before = merges.count
        merges.add(islice(ways, wanted - merges.count))
        if merges.count == before:
            break  # a small vocabulary of short words has no more
        cut += 1
    return merges


class _Strings:
    """Strings as GGUF stores them, without an object for each."""

    def __init__(self, texts: Iterable[bytes]) -> None:
        self.count = 0
        self._data = bytearray()
        self.add(texts)

    def add(self, texts: Iterable[bytes]) -> None:
        for text in texts:
            self._data += ONE_U64.pack(len(text))
            self._data += text
            self.count += 1

    @property
    def payload_bytes(self) -> int:
        return len(self._data) - ONE_U64.size * self.count

    def encoded(self) -> Encoded:
        return Encoded(ONE_U32.pack(ARRAY) + ARRAY_HEAD.pack(STRING, self.count) + self._data)


def _numbers(tag: int, values: list[int] | list[float]) -> Encoded:
    content = pack(f"<{len(values)}{CODES[tag]}", *values)
    return Encoded(ONE_U32.pack(ARRAY) + ARRAY_HEAD.pack(tag, len(values)) + content)


def _listed(model: str, texts: _Strings, kinds: list[int]) -> dict[str, Writable]:
    return {
        "tokenizer.ggml.model": model,
        "tokenizer.ggml.tokens": texts.encoded(),
        "tokenizer.ggml.token_type": _numbers(_I32, kinds),
    }


def _special(**ids: int) -> dict[str, Writable]:
    return {f"tokenizer.ggml.{role}_token_id": token for role, token in ids.items()}


def _described(kind: str, metadata: dict[str, Writable], texts: _Strings, merges: _Strings | None = None) -> Vocabulary:
    tokenizer = Tokenizer(
        kind=kind,
        tokens=texts.count,
        token_bytes=texts.payload_bytes,
        merges=merges.count if merges else 0,
        merge_bytes=merges.payload_bytes if merges else 0,
    )
    return Vocabulary(metadata, tokenizer)


def _byte_names() -> list[bytes]:
    return [b"<0x%02X>" % byte for byte in range(256)]


def _byte_alphabet() -> list[bytes]:
    """A printable character for every byte, the printable ones themselves (``bytes_to_unicode`` of GPT-2)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    characters = [chr(byte) for byte in printable] + [chr(256 + index) for index in range(len(others))]
    return [character.encode() for character in characters]


def _escaped(byte: int) -> bytes:
    return bytes([byte]) if chr(byte).isascii() and chr(byte).isalnum() else b"\\x%02x" % byte
