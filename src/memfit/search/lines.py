"""Files of JSON lines, as texts and tasks come in: each line an entry, or the number of the line that is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from memfit.errors import UsageError


def read_lines(text: str, place: object, *, hint: str) -> Iterator[tuple[int, Any]]:
    """Entries with the numbers of their lines; empty lines are passed over.

    Only a line feed ends a line: U+2028 and its like may stand inside a string of JSON.

    Raises:
        UsageError: a line is no JSON, or holds what no text can; says which.
    """
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except ValueError as failure:
            raise UsageError(f"{place}, line {number}: no JSON: {failure}", hint=hint) from failure
        except RecursionError as failure:
            raise UsageError(f"{place}, line {number}: JSON nested too deeply", hint=hint) from failure
        if "\\u" in line:
            _refuse_halves(entry, f"{place}, line {number}")
        yield number, entry


def _refuse_halves(entry: Any, where: str) -> None:
    try:
        json.dumps(entry, ensure_ascii=False).encode()
    except UnicodeEncodeError as failure:
        half = ord(str(failure.object)[failure.start])
        raise UsageError(
            f"{where}: \\u{half:04x} is half of a character", hint="remove it: it stands for nothing alone"
        ) from failure
