"""A byte-level byte-pair tokenizer, trained here and stored as GPT-2 stores its own.

The splitting rule is the one llama.cpp applies under ``tokenizer.ggml.pre = "gpt-2"`` (src/llama-vocab.cpp and
``unicode_regex_split_custom_gpt2`` in src/unicode.cpp, commit 0c1e57098), so the ids seen in training are the ids the
engine makes.
"""

from __future__ import annotations

import functools
import heapq
import itertools
import re
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

END_OF_TEXT = "<|endoftext|>"
"""The one special token: it separates documents, and stands for both the beginning and the end of a text."""

_SPACES = "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # Unicode White_Space

Pair = tuple[int, int]


def _character_class(major: str) -> str:
    """Regex ranges of the code points whose general category begins with ``major``, which ``re`` cannot name."""
    ranges, start = [], -1
    for code in range(sys.maxunicode + 2):
        inside = code <= sys.maxunicode and unicodedata.category(chr(code))[0] == major
        if inside and start < 0:
            start = code
        elif not inside and start >= 0:
            ranges.append(f"\\U{start:08x}-\\U{code - 1:08x}")
            start = -1
    return "".join(ranges)


@functools.cache  # the classes take half a second to gather
def _splitter() -> re.Pattern[str]:
    letter, number = _character_class("L"), _character_class("N")
    return re.compile(
        rf"'s|'t|'re|'ve|'m|'ll|'d| ?[{letter}]+| ?[{number}]+| ?[^{_SPACES}{letter}{number}]+"
        rf"|[{_SPACES}]+(?![^{_SPACES}])|[{_SPACES}]+"
    )


def byte_alphabet() -> list[str]:
    """GPT-2's printable stand-in for each of the 256 bytes, indexed by byte."""
    printable = {*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    spare = iter(range(0x100, 0x200))
    return [chr(byte if byte in printable else next(spare)) for byte in range(256)]


@dataclass
class Tokenizer:
    """Ids 0..255 are the bytes, then one id per merge in order of rank, then ``END_OF_TEXT``."""

    merges: tuple[Pair, ...]
    _rank: dict[Pair, int] = field(init=False, repr=False)
    _seen: dict[str, tuple[int, ...]] = field(init=False, repr=False, default_factory=dict)
    _split: re.Pattern[str] = field(init=False, repr=False, default_factory=_splitter)

    def __post_init__(self) -> None:
        self._rank = {pair: rank for rank, pair in enumerate(self.merges)}

    @property
    def end_of_text(self) -> int:
        """Id of ``END_OF_TEXT``, the last one."""
        return 256 + len(self.merges)

    @property
    def n_vocab(self) -> int:
        """Number of ids."""
        return self.end_of_text + 1

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without special tokens."""
        ids: list[int] = []
        for word in self._split.findall(text):
            known = self._seen.get(word)
            if known is None:
                known = self._seen[word] = self._merge(word)
            ids.extend(known)
        return ids

    def _merge(self, word: str) -> tuple[int, ...]:
        symbols = list(word.encode())
        while len(symbols) > 1:
            rank, at = min((self._rank.get(pair, sys.maxsize), at) for at, pair in enumerate(_pairs(symbols)))
            if rank == sys.maxsize:
                break
            symbols[at : at + 2] = [256 + rank]
        return tuple(symbols)

    def spellings(self) -> list[str]:
        """Each id's text in GPT-2's byte alphabet, as ``tokenizer.ggml.tokens`` holds it."""
        spelled = byte_alphabet()
        for left, right in self.merges:
            spelled.append(spelled[left] + spelled[right])
        return [*spelled, END_OF_TEXT]

    def merge_lines(self) -> list[str]:
        """Each merge as two spellings with a space between, as ``tokenizer.ggml.merges`` holds it."""
        spelled = self.spellings()
        return [f"{spelled[left]} {spelled[right]}" for left, right in self.merges]

    def byte_lengths(self) -> list[int]:
        """How many bytes of text each id stands for; 0 for ``END_OF_TEXT``."""
        return [*(len(spelled) for spelled in self.spellings()[:-1]), 0]


def train(texts: Iterable[str], n_vocab: int) -> Tokenizer:
    """Merge the most frequent pair, ties to the smaller ids, until ``n_vocab`` ids exist.

    Raises:
        ValueError: the texts have too few distinct pairs for so large a vocabulary.
    """
    counts: Counter[str] = Counter()
    split = _splitter()
    for text in texts:
        counts.update(split.findall(text))
    words = [(list(word.encode()), count) for word, count in counts.items()]
    frequency: Counter[Pair] = Counter()
    holders: defaultdict[Pair, set[int]] = defaultdict(set)
    for index, (symbols, count) in enumerate(words):
        for pair in _pairs(symbols):
            frequency[pair] += count
            holders[pair].add(index)
    queue = [(-count, pair) for pair, count in frequency.items()]
    heapq.heapify(queue)
    merges: list[Pair] = []
    while len(merges) < n_vocab - 257:
        best = _pop_current(queue, frequency)
        changed: set[Pair] = set()
        for index in holders.pop(best):
            symbols, count = words[index]
            for pair in _pairs(symbols):
                frequency[pair] -= count
                changed.add(pair)
            _replace(symbols, best, 256 + len(merges))
            for pair in _pairs(symbols):
                frequency[pair] += count
                holders[pair].add(index)
                changed.add(pair)
        merges.append(best)
        for pair in changed:
            if pair != best and frequency[pair] > 0:
                heapq.heappush(queue, (-frequency[pair], pair))
    return Tokenizer(tuple(merges))


def _pop_current(queue: list[tuple[int, Pair]], frequency: Counter[Pair]) -> Pair:
    """The most frequent pair; entries of an older count are dropped on the way."""
    while queue:
        negative, pair = heapq.heappop(queue)
        if frequency[pair] == -negative:
            return pair
    raise ValueError("no pair is left to merge: ask for a smaller vocabulary")


def _pairs(symbols: list[int]) -> Iterator[Pair]:
    return itertools.pairwise(symbols)


def _replace(symbols: list[int], pair: Pair, merged: int) -> None:
    """Replace ``pair`` by ``merged``, left to right, in place."""
    at = 0
    while at < len(symbols) - 1:
        if (symbols[at], symbols[at + 1]) == pair:
            symbols[at : at + 2] = [merged]
        at += 1
