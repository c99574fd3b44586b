"""What is learned stays, also when it ended in the middle of a line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memfit.errors import MemfitError
from memfit.search.notes import Notes


def test_what_was_learned_is_known_again_and_only_to_the_same_question(tmp_path: Path) -> None:
    Notes({"a": 1}, tmp_path).learn("probe x", 0.5)
    assert Notes({"a": 1}, tmp_path).get("probe x") == 0.5
    assert Notes({"a": 2}, tmp_path).get("probe x") is None


def test_a_line_that_was_cut_off_is_not_known_and_not_in_the_way(tmp_path: Path) -> None:
    notes = Notes({}, tmp_path)
    notes.learn("one", 1)
    notes.learn("two", [1, 2])
    path = notes.folder / "learned.jsonl"
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        found = Notes({}, tmp_path)
        assert ("one" in found) == (length >= whole.index(b"\n"))
        assert ("two" in found) == (length >= len(whole) - 1)
        found.learn("three", 3)
        assert Notes({}, tmp_path).get("three") == 3


@pytest.mark.parametrize("damage", [b"\0" * 40, b"\xff\xfe", b"{}", b"3", b'["a"]', b'[["a"], 1]'])
def test_a_damaged_line_is_learned_again_and_the_others_stay(tmp_path: Path, damage: bytes) -> None:
    notes = Notes({}, tmp_path)
    notes.learn("one", 1)
    path = notes.folder / "learned.jsonl"
    path.write_bytes(damage + b"\n" + path.read_bytes())
    found = Notes({}, tmp_path)
    assert found.get("one") == 1
    found.learn("two", 2)
    assert Notes({}, tmp_path).get("two") == 2


def test_two_searches_of_one_question_lose_nothing_of_each_other(tmp_path: Path) -> None:
    """One is killed in the middle of a line, one begins, a third has been writing all the while."""
    writing = Notes({}, tmp_path)
    writing.learn("one", 1)
    path = writing.folder / "learned.jsonl"
    with path.open("ab") as file:
        file.write(b'["cut", 0.')
    beginning = Notes({}, tmp_path)
    writing.learn("two", 2)
    beginning.learn("three", 3)
    found = Notes({}, tmp_path)
    assert [found.get(key) for key in ("one", "two", "three", "cut")] == [1, 2, 3, None]


def test_a_folder_that_cannot_be_is_said_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MemfitError, match="cannot keep what was learned"):
        Notes({}, tmp_path / "file")


def test_what_a_killed_search_left_half_made_is_swept_away(tmp_path: Path) -> None:
    notes = Notes({}, tmp_path)
    dead, alive = notes.place("candidate-999999999.gguf"), notes.place(f"candidate-{os.getpid()}.gguf")
    dead.touch()
    alive.touch()
    kept = notes.place("importance.npz")
    kept.touch()
    Notes({}, tmp_path)
    assert not dead.exists()
    assert alive.exists()
    assert kept.exists()
