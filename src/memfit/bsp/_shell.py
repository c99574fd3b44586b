"""A board's ``.conf`` as words and commands of the shell; what they mean is ``_conf``'s to say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple, TypeAlias

_TOKEN = re.compile(
    r"""(?P<skip>[ \t\r\f\v]+|\\\r?\n|(?<![^\s;&|()])\#[^\n]*)
    |(?P<mark>\n|;;&?|;&?|&&|\|\||[&|()])
    |(?P<word>(?:'[^']*'|"(?:\\.|[^"\\])*"|\$\((?:[^()]|\([^()]*\))*\)|\$\{[^}]*\}|`[^`]*`|\\.|[^\s;&|()'"`\\])+)
    |(?P<odd>.)""",
    re.X | re.S,
)
_PIECE = re.compile(
    r"""'(?P<single>[^']*)'|"(?P<double>(?:\\.|[^"\\])*)"|\\(?P<escaped>.)|(?P<bare>\$\{[^}]*\}|\$\w+|[^'"\\])""",
    re.S | re.X,
)
_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)")
Tri: TypeAlias = "bool | None"  # None: nobody knows here


class Piece(NamedTuple):
    """A word, or a mark that ends a command; a line's end is one."""

    text: str
    line: int
    mark: bool


def pieces(text: str) -> tuple[Piece, ...]:
    """All that is no comment, in order; quotes stay in the words."""
    return tuple(_pieces(text))


def _pieces(text: str) -> Iterator[Piece]:
    line = 1
    for match in _TOKEN.finditer(text):
        if match.lastgroup != "skip":
            yield Piece(match[0], line, match.lastgroup == "mark")
        line += match[0].count("\n")


def value(word: str, known: dict[str, str | None]) -> str | None:
    """What a word becomes; None where that takes more than quotes and variables whose values are known."""
    found: list[str] = []
    for match in _PIECE.finditer(word):
        if match["single"] is not None:
            found.append(match["single"])
        elif match["escaped"] is not None:
            found.append(match["escaped"].strip("\n"))  # a line that goes on
        else:
            inner = _filled(match["double"] if match["double"] is not None else match["bare"], known)
            if inner is None:
                return None
            found.append(inner)
    return "".join(found)


def _filled(text: str, known: dict[str, str | None]) -> str | None:
    parts, last = [], 0
    for match in _VARIABLE.finditer(text):
        inner = known.get(match[1] or match[2])
        if inner is None:
            return None
        parts += [text[last : match.start()], inner]
        last = match.end()
    rest = _VARIABLE.sub("", text)
    return None if "$" in rest or "`" in rest or "\\" in rest else "".join([*parts, text[last:]])


def tested(words: list[str], known: dict[str, str | None], root: Path) -> Tri:
    """Comparisons of what is known; nothing else is decided."""
    if words and words[0] == "!":
        return negation(tested(words[1:], known, root))
    values = [value(word, known) for word in words]
    if len(words) == 2 and words[0] in ("-f", "-e", "-n", "-z") and values[1] is not None:
        if words[0] in ("-n", "-z"):
            return bool(values[1]) is (words[0] == "-n")
        return (root / values[1]).exists()
    if len(words) == 3 and words[1] in ("=", "==", "!="):
        one, other = values[0], values[2]
        if one is not None and other is not None:
            return fnmatchcase(one, other) is (words[1] != "!=")
    return None


def negation(one: Tri) -> Tri:
    """Not that."""
    return None if one is None else not one


def every(values: list[Tri]) -> Tri:
    """All of them."""
    return False if False in values else None if None in values else True


def either(one: Tri, other: Tri) -> Tri:
    """One of two."""
    return True if True in (one, other) else None if None in (one, other) else False
