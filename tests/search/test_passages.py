"""Texts, chats and tasks as they are read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from memfit.errors import UsageError
from memfit.search.tasks import read_tasks
from memfit.search.text import read_text, split


def written(folder: Path, content: str | bytes, name: str = "text.jsonl") -> str:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def test_chats_become_turns(tmp_path: Path) -> None:
    lines = [
        {"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]},
        {"conversations": [{"from": "human", "value": "One"}, {"from": "gpt", "value": "Two"}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "See"}, {"type": "image_url"}]}]},
        {"messages": [{"role": "assistant", "content": None, "tool_calls": [{"name": "f"}]}]},
        {"text": "plain"},
        "a string",
        {"prompt": "Q", "response": "A"},
    ]
    passage = read_text(written(tmp_path, "\n".join(map(json.dumps, lines)) + "\n\n"))
    assert passage.parts == (
        "user: Hello\nassistant: Hi",
        "human: One\ngpt: Two",
        "user: See",
        'assistant: [{"name": "f"}]',
        "plain",
        "a string",
        "Q\nA",
    )


def test_only_a_line_feed_ends_a_line_and_a_byte_order_mark_is_none(tmp_path: Path) -> None:
    """U+2028, U+0085 and their like may stand unescaped in a string of JSON, and chats of the web hold them."""
    for odd in ("\u2028", "\u2029", "\x85"):
        line = json.dumps({"text": f"one{odd}two"}, ensure_ascii=False)
        assert read_text(written(tmp_path, f"\ufeff{line}\r\n")).parts == (f"one{odd}two",)
        task = json.dumps({"prompt": f"one{odd}two", "answer": "x"}, ensure_ascii=False)
        assert read_tasks(written(tmp_path, f"\ufeff{task}\r\n")).tasks[0].before == f"one{odd}two"


def test_whole_characters_may_be_written_in_two_halves(tmp_path: Path) -> None:
    assert read_text(written(tmp_path, '{"text": "\\ud83d\\ude00"}')).parts == ("\U0001f600",)


def test_plain_text_is_taken_whole(tmp_path: Path) -> None:
    passage = read_text(written(tmp_path, "two\nlines", "a.txt"))
    assert passage.parts == ("two\nlines",)
    assert not passage.bundled


def test_without_a_file_the_bundled_sample_is_taken_and_said() -> None:
    passage = read_text(None)
    assert passage.bundled
    assert passage.name == "the bundled sample"
    assert len(passage.parts[0]) > 100_000


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "a.txt", "is empty"),
        (b"  \n", "a.txt", "is empty"),
        (b"ab\xff", "a.txt", "byte 2 is not UTF-8"),
        (b'{"text": "a"}\n{"text": ', "a.jsonl", "line 2: no JSON"),
        (b'{"foo": 1}', "a.jsonl", "line 1: none of the fields"),
        (b'{"messages": [1]}', "a.jsonl", "line 1: messages holds a turn without content"),
        (b"3", "a.jsonl", "line 1: none of the fields"),
        (b'{"text": "a"}\n' + b"[" * 200_000, "a.jsonl", "line 2: JSON nested too deeply"),
        (b'{"text": "a"}\n{"text": "b \\ud800 c"}', "a.jsonl", r"line 2: .ud800 is half of a character"),
    ],
)
def test_texts_that_cannot_be_used_are_refused(tmp_path: Path, content: bytes, name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_text(written(tmp_path, content, name))


def test_a_text_that_is_not_there_or_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.txt", tmp_path):
        with pytest.raises(UsageError) as refused:
            read_text(str(path))
        assert str(path) in refused.value.message


def test_windows_are_dealt_out_so_that_what_is_unseen_stays_so() -> None:
    for windows in (6, 7, 30, 200):
        found = split(windows)
        assert not set(found.unseen) & (set(found.importance) | set(found.probe) | set(found.search))
        assert len(found.unseen) >= 2
        assert max(found.unseen) < windows
    apart = split(10, separate=5)
    assert apart.unseen == (10, 11, 12, 13, 14)
    assert max(apart.importance) < 10


@pytest.mark.parametrize("windows", [0, 1, 4, 5])
def test_too_short_a_text_says_how_much_is_needed(windows: int) -> None:
    with pytest.raises(UsageError, match=f"fills {windows} windows"):
        split(windows)


def test_tasks_are_read(tmp_path: Path) -> None:
    lines = [
        {"question": "1+1=", "choices": ["1", "2"], "answer": 1},
        {"question": "Sky?", "choices": ["red", "blue"], "answer": "blue"},
        {"context": "C", "choices": ["x", "y", "z"], "label": "C"},
        {"prompt": "2+2=", "answer": "4"},
    ]
    found = read_tasks(written(tmp_path, "\n".join(map(json.dumps, lines))))
    assert [one.right for one in found.tasks] == [1, 1, 2, None]
    assert found.tasks[3].after == ("4",)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "no JSON"),
        ("[]", "no object"),
        ("[" * 200_000, "nested too deeply"),
        ('{"prompt": "\\udc00", "answer": "x"}', "half of a character"),
        ('{"answer": 1}', "no question"),
        ('{"question": "a", "choices": ["x"], "answer": 0}', "two texts"),
        ('{"question": "a", "choices": ["x", ""], "answer": 0}', "two texts"),
        ('{"question": "a", "choices": ["x", "y"], "answer": 2}', "none of the 2 choices"),
        ('{"question": "a", "choices": ["x", "y"], "answer": true}', "none of the 2 choices"),
        ('{"question": "a", "answer": 3}', "no text"),
    ],
)
def test_lines_that_are_no_task_are_named(tmp_path: Path, line: str, said: str) -> None:
    path = written(tmp_path, '{"prompt": "p", "answer": "a"}\n' + line)
    with pytest.raises(UsageError, match=f"line 2: .*{said}"):
        read_tasks(path)
