"""The tools that make the model: what they train on, and how they split text into tokens."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "tools"))
from tiny import byte_pair, corpus


def _library(root: Path, *extra: str) -> Path:
    for name in (*corpus.HELD_OUT, *extra):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n", encoding="utf-8")
    return root


def test_held_out_modules_are_not_trained_on(tmp_path: Path) -> None:
    texts = corpus.collect(_library(tmp_path, "abc.py", "json/decoder.py"))
    assert [name for name, _ in texts.train] == ["abc.py", "json/decoder.py"]
    assert tuple(name for name, _ in texts.held_out) == corpus.HELD_OUT


def test_only_the_library_itself_is_read(tmp_path: Path) -> None:
    outside = (
        "site-packages/heapq.py",
        "test/test_abc.py",
        "json/tests/a.py",
        "config-3.11/x.py",
        "_sysconfigdata_.py",
    )
    texts = corpus.collect(_library(tmp_path, "abc.py", *outside))
    assert [name for name, _ in texts.train] == ["abc.py"]


def test_a_missing_held_out_module_is_named(tmp_path: Path) -> None:
    (_library(tmp_path) / "heapq.py").unlink()
    with pytest.raises(FileNotFoundError, match=r"heapq\.py"):
        corpus.collect(tmp_path)


def test_the_hash_tells_texts_apart(tmp_path: Path) -> None:
    before = corpus.collect(_library(tmp_path, "abc.py")).sha256
    (tmp_path / "abc.py").write_text("# changed\n", encoding="utf-8")
    assert corpus.collect(tmp_path).sha256 != before


def test_the_most_frequent_pair_is_merged_first() -> None:
    tokenizer = byte_pair.train(["ab ab ab abc abc"], 256 + 3 + 1)
    a, b, c, space = (ord(letter) for letter in "abc ")
    assert tokenizer.merges == ((a, b), (space, 256), (257, c))
    assert tokenizer.encode("ab abc") == [256, 258]
    assert tokenizer.spellings()[256:] == ["ab", "Ġab", "Ġabc", byte_pair.END_OF_TEXT]


def test_merging_keeps_overlapping_runs_apart() -> None:
    a = ord("a")
    tokenizer = byte_pair.Tokenizer(((a, a),))
    assert tokenizer.encode("aaaaa") == [256, 256, a]


def test_encoding_loses_no_byte() -> None:
    tokenizer = byte_pair.train(["def f(x):\n    return x\n" * 3], 265)
    text = "def f(ü, 日本):\r\n\t return '🙂'  \n\n"
    alphabet = {letter: byte for byte, letter in enumerate(byte_pair.byte_alphabet())}
    spelled = "".join(tokenizer.spellings()[token] for token in tokenizer.encode(text))
    assert bytes(alphabet[letter] for letter in spelled).decode() == text
    assert sum(tokenizer.byte_lengths()[token] for token in tokenizer.encode(text)) == len(text.encode())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("    return x", ["   ", " return", " x"]),
        ("it's I'LL", ["it", "'s", " I", "'", "LL"]),
        ("a1² +=\n\n", ["a", "1²", " +=", "\n\n"]),
        ("λ→x _y", ["λ", "→", "x", " _", "y"]),
        ("\x1c ", ["\x1c", " "]),
    ],
)
def test_text_is_split_as_gpt2_does(text: str, words: list[str]) -> None:
    tokenizer = byte_pair.Tokenizer(())
    assert tokenizer._split.findall(text) == words


def test_a_vocabulary_larger_than_the_text_is_refused() -> None:
    with pytest.raises(ValueError, match="smaller vocabulary"):
        byte_pair.train(["ab"], 300)
