"""Where a part of a preprocessed text comes from: cpp leaves a line with file and number wherever that changes."""

from __future__ import annotations

import re
from bisect import bisect_right

_MARKER = re.compile(r'^# (\d+) "([^"\n]*)"[^\n]*$', re.M)
_LINE_END = re.compile("\n")


class Origins:
    """The files and lines of a preprocessed text; ``main`` is where it begins."""

    def __init__(self, text: str, main: str) -> None:
        found = list(_MARKER.finditer(text))
        self._begins = [match.end() + 1 for match in found]
        self._places = [(int(match[1]), match[2]) for match in found]
        self._main = main
        self._ends = [match.start() for match in _LINE_END.finditer(text)]  # counting anew for each node takes long
        self.text = _MARKER.sub(lambda match: " " * len(match[0]), text)
        """The same text with blanks instead of those lines."""

    def of(self, place: int) -> tuple[str, int]:
        """The file and the number of the line that hold a place of the text."""
        at = bisect_right(self._begins, place) - 1
        begin, (line, file) = (self._begins[at], self._places[at]) if at >= 0 else (0, (1, self._main))
        return file, line + bisect_right(self._ends, place - 1) - bisect_right(self._ends, begin - 1)
