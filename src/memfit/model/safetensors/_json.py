"""JSON that others wrote: decoded strictly, every failure an error with file and place."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from memfit.errors import Malformed

Pairs = list[tuple[str, Any]]


def decode(raw: bytes, *, file: str | None, offset: int = 0, pairs: Callable[[Pairs], Any] | None = None) -> Any:
    """The value.

    Args:
        raw: the text's bytes.
        file: for messages.
        offset: where in the file the text starts, for messages.
        pairs: makes something of each object's names and values.

    Raises:
        Malformed: not UTF-8, not JSON, or nested deeper than any reader follows.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as failure:
        raise Malformed("is not UTF-8", file=file, offset=offset + failure.start) from None
    try:
        return json.loads(text, object_pairs_hook=pairs)
    except json.JSONDecodeError as failure:
        at = offset + len(text[: failure.pos].encode())
        raise Malformed(f"is not JSON: {failure.msg}", file=file, offset=at) from None
    except RecursionError:
        raise Malformed("is JSON nested too deep", file=file, offset=offset) from None
    except ValueError:  # a whole number of more digits than Python converts
        raise Malformed("holds a number of too many digits", file=file, offset=offset) from None


def without_duplicates(file: str | None) -> Callable[[Pairs], dict[str, Any]]:
    """Objects as dictionaries, each name once.

    Raises:
        Malformed: by what is returned, for a name that stands twice in one object.
    """

    def pairs(found: Pairs) -> dict[str, Any]:
        values = dict(found)
        if len(values) == len(found):
            return values
        seen: set[str] = set()
        for name, _ in found:
            if name in seen:
                raise Malformed(f"has the name {name[:80]!r} twice", file=file)
            seen.add(name)
        return values

    return pairs
