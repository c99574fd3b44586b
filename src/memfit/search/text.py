"""The text that precision is searched and measured on: the user's own, or a bundled sample, which is then said."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from memfit.errors import UsageError
from memfit.search.lines import read_lines

SAMPLE = Path(__file__).parent / "sample.txt"
_MOST_BYTES = 256 * 1024**2
_MOST_SEEN = 8192  # windows: more than anything is trained on
_FIELDS = ("messages", "conversations", "text", "content", "prompt", "response")


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A text as it was read: ``parts`` are tokenized one by one, and follow each other."""

    name: str
    sha256: str
    parts: tuple[str, ...]
    bundled: bool = False


def read_text(path: str | None) -> Passage:
    """Plain text, or JSON lines with chats (``messages`` of ``role`` and ``content``) or ``text``; the sample for None.

    Raises:
        UsageError: it cannot be read, is empty, is no text, or a line has none of the fields.
    """
    place = SAMPLE if path is None else Path(path)
    try:
        if place.is_file() and place.stat().st_size > _MOST_BYTES:
            raise UsageError(f"{place}: more than {_MOST_BYTES >> 20} MiB of text", hint="a few MB are plenty")
        data = place.read_bytes()
    except OSError as failure:
        raise UsageError(
            f"{place}: {failure.strerror or failure}", hint="give a file of text, or JSON lines with chats"
        ) from failure
    if not data.strip():
        raise UsageError(f"{place} is empty", hint="give text like what the model will read and write")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as failure:
        raise UsageError(
            f"{place}: byte {failure.start} is not UTF-8", hint="convert it first: iconv -t utf-8"
        ) from failure
    chats = place.suffix.lower() in (".jsonl", ".ndjson")
    parts = tuple(_lines(text, place)) if chats else (text,)
    name = "the bundled sample" if path is None else str(path)
    return Passage(name=name, sha256=hashlib.sha256(data).hexdigest(), parts=parts, bundled=path is None)


def _lines(text: str, place: Path) -> list[str]:
    hint = 'one object a line, such as {"text": "…"}'
    return [_words(entry, place, number) for number, entry in read_lines(text, place, hint=hint)]


def _words(entry: Any, place: Path, number: int) -> str:
    """The text of one line: turns of a chat one below another, as ``role: content``."""
    if isinstance(entry, str):
        return entry
    if isinstance(entry, dict):
        for field in _FIELDS[:2]:
            if isinstance(entry.get(field), list):
                return "\n".join(_turn(turn, place, number, field) for turn in entry[field])
        found = [entry[field] for field in _FIELDS[2:] if isinstance(entry.get(field), str)]
        if found:
            return "\n".join(found)
    raise UsageError(
        f"{place}, line {number}: none of the fields {', '.join(_FIELDS)}",
        hint='chats look like {"messages": [{"role": "user", "content": "…"}]}',
    )


def _turn(turn: Any, place: Path, number: int, field: str) -> str:
    if isinstance(turn, dict):
        role = turn.get("role", turn.get("from", ""))
        content = turn.get("content", turn.get("value"))
        if isinstance(content, str):
            return f"{role}: {content}" if role else content
        if isinstance(content, list):  # parts of a message: pictures have no text
            return f"{role}: " + " ".join(
                part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)
            )
        if content is None and "tool_calls" in turn:
            return f"{role}: {json.dumps(turn['tool_calls'], ensure_ascii=False)}"
    raise UsageError(
        f"{place}, line {number}: {field} holds a turn without content",
        hint='turns look like {"role": "user", "content": "…"}',
    )


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """Windows by what they are used for; none is used for two things that must not know of each other.

    Attributes:
        importance: to weight columns by.
        gradients: to weight rows by.
        probe: to see what each tensor does.
        search: to correct predictions by what the real kernels show.
        unseen: to measure the result on; the search sees none of them.
        seen: all that are not, of which the first three are taken; what is trained is trained on these.
    """

    importance: tuple[int, ...]
    gradients: tuple[int, ...]
    probe: tuple[int, ...]
    search: tuple[int, ...]
    unseen: tuple[int, ...]
    seen: tuple[int, ...] = ()


def split(windows: int, *, separate: int = 0, most_unseen: int = 48) -> Split:
    """Deal windows out, spread evenly over the text.

    Args:
        windows: of the text.
        separate: windows behind those that come from a text of their own, and are all that is unseen.
        most_unseen: to measure on.

    Raises:
        UsageError: too few.
    """
    unseen = range(windows, windows + separate) if separate else range(2, windows, 3)
    seen = [index for index in range(windows) if separate or index % 3 != 2]
    if len(seen) < 3 or len(unseen) < 2:
        raise UsageError(
            f"the text fills {windows} windows of tokens, and a search needs 6",
            hint="give more text, some 10,000 words, or smaller windows: --window 128",
        )
    return Split(
        importance=_spread(seen, 64),
        gradients=_spread(seen, 24),
        probe=_spread(seen, 6),
        search=_spread(seen[1:], 12),
        unseen=_spread(unseen, most_unseen),
        seen=_spread(seen, _MOST_SEEN),
    )


def _spread(given: Sequence[int], most: int) -> tuple[int, ...]:
    if len(given) <= most:
        return tuple(given)
    return tuple(given[round(at * (len(given) - 1) / (most - 1))] for at in range(most))
