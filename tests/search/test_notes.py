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
        assert ("one" in found) == (length >= whole.index(b"\n") + 1)
        assert "two" not in found
        found.learn("three", 3)
        assert Notes({}, tmp_path).get("three") == 3


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
