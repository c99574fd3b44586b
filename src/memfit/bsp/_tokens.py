"""Device tree source as tokens with places: every byte belongs to one, so that what is not meant to change does not.

Comments, strings and lines of the preprocessor are tokens of their own; ``#address-cells`` is a name, ``#include`` is
not. A reference ``&label`` or ``&{/path}`` is one word, braces and all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from memfit.errors import ProbeError

Kind = Literal["space", "comment", "directive", "keyword", "string", "cells", "word", "mark"]

_DIRECTIVES = r"include|define|undef|ifdef|ifndef|if|elif|else|endif|error|warning|pragma|line"
_PATTERNS: tuple[tuple[Kind, str], ...] = (
    # only where a line begins; a line that ends in a backslash goes on
    ("directive", rf"(?m:^)[ \t]*\#[ \t]*(?:{_DIRECTIVES})(?![\w,.+-])(?:\\\r?\n|[^\n])*"),
    ("space", r"\s+"),
    ("comment", r"/\*.*?\*/|//[^\n]*"),
    ("string", r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\''),
    ("keyword", r"/[a-z][a-z0-9-]*/"),
    # a value as one piece, where nothing in it may be a comment, a line of the preprocessor or another value
    ("cells", r"<[^<>\"'/;{}#\\]*>|\[[0-9a-fA-F\s]*\]"),
    ("word", r"&\{[^}]*\}|&?[\w,.+?#@-]+"),
    ("mark", r"."),
)
_TOKEN = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _PATTERNS), re.DOTALL)
_UNCLOSED = {"/*": "a comment", '"': "a string"}


class Token(NamedTuple):
    """A piece of the text from ``start`` to ``end``."""

    kind: Kind
    text: str
    start: int
    end: int


def tokens(text: str, name: str) -> Iterator[Token]:
    """All of the text, in order and without gaps.

    Raises:
        ProbeError: a comment or a string has no end; ``name`` is the file's.
    """
    for match in _TOKEN.finditer(text):
        kind: Kind = match.lastgroup  # type: ignore[assignment]
        start = match.start()
        if kind == "mark":
            for begin, what in _UNCLOSED.items():
                if text.startswith(begin, start):
                    place = f"{name}, line {line_of(text, start)}"
                    raise ProbeError(f"{place}: {what} that never ends", hint="end it, or take the file from the BSP")
        yield Token(kind, match[0], start, match.end())


def line_of(text: str, place: int) -> int:
    """The number of the line that holds a place, from 1."""
    return text.count("\n", 0, place) + 1
