"""What a request has to look like: what is missing or odd in it is named, and nothing is done.

It says nothing about what may be changed (``memfit.agent.denied``), only that the rest of the agent can read it. Fields
that nobody knows are let through, and nobody reads them.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from memfit.agent.failure import Failure
from memfit.agent.tree import MOST_BYTES

_MOST_TEXT = 4096
_MOST_SPACE = 1 << 42
_PLAIN = re.compile(r"[\x20-\x7e]*")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def check_request(request: Any) -> None:
    """Refuse what is no request.

    Raises:
        Failure: it says what is wrong.
    """
    if not isinstance(request, dict):
        raise Failure("refused", "a request is an object of JSON")
    _check(request, "the request", _REQUEST)


def check_changes(changes: Any) -> None:
    """Refuse what is no list of changes.

    Raises:
        Failure: it says which one, and what is wrong with it.
    """
    if not isinstance(changes, list):
        raise Failure("refused", "the request: 'changes' is a list of objects")
    for number, change in enumerate(changes, 1):
        kind = change.get("kind") if isinstance(change, dict) else None
        if not isinstance(kind, str) or kind not in _CHANGES:
            raise Failure("refused", f"change {number}: its 'kind' is one of {', '.join(_CHANGES)}")
        _check(change, f"change {number} ({kind})", _CHANGES[kind])


def _check(found: dict[str, Any], what: str, fields: Mapping[str, tuple[str, Callable[[Any], bool]]]) -> None:
    for name, (words, test) in fields.items():
        optional = name.endswith("?")
        name = name.rstrip("?")
        if optional and found.get(name) is None:
            continue
        if name not in found or not test(found[name]):
            raise Failure("refused", f"{what}: {name!r} is {words}")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _MOST_TEXT and _PLAIN.fullmatch(value) is not None


def _is_word(value: Any) -> bool:
    return _is_text(value) and bool(value)


def _are_words(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_word, value))


def _is_content(value: Any) -> bool:
    try:
        return isinstance(value, str) and len(base64.b64decode(value, validate=True)) < MOST_BYTES
    except (binascii.Error, ValueError):
        return False


def _is_trial(value: Any) -> bool:
    if not isinstance(value, dict) or not _is_content(value.get("fallback")) or not _is_string(value.get("original")):
        return False
    return _are_expected(value.get("expects"))


def _is_trial_of_made(value: Any) -> bool:
    if not isinstance(value, dict) or not _is_word(value.get("path")) or not _are_words(value.get("sources")):
        return False
    return _are_expected(value.get("expects"))


def _are_expected(words: Any) -> bool:
    return isinstance(words, dict) and all(one is None or _is_text(one) for one in words.values())


def _is_mode(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 0o777


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MOST_SPACE


def _is_seconds(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def _is_truth(value: Any) -> bool:
    return isinstance(value, bool)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_string(value: Any) -> bool:
    return isinstance(value, str)


def _is_root(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and "\0" not in value


_TEXT = ("plain text on one line", _is_text)
_WORD = ("plain text on one line, and not empty", _is_word)
_WORDS = ("a list of words", _are_words)
_TRUTH = ("true or false", _is_truth)
_WHY = {"why?": ("text", _is_string)}
# a name that ends in a question mark may be left out, or null
_REQUEST = {
    "action": _WORD,
    "root?": ("a folder", _is_root),
    "id?": _WORD,
    "machine?": _WORD,
    "about?": ("an object", _is_object),
    "recover?": _TRUTH,
    "keep_theirs?": _TRUTH,
    "path?": ("a path", _is_root),
    "confirm_s?": ("a number of seconds", _is_seconds),
}
_CHANGES = {
    "file": {
        "path": _WORD,
        "content": ("in base64", _is_content),
        "mode?": ("permissions from 0 to 0o777", _is_mode),
        "expects?": ("the digest of a file", _is_digest),
        "trial?": ("fallback in base64, the label original, and words that it expects", _is_trial),
        **_WHY,
    },
    "link": {"path": _WORD, "target": _WORD, **_WHY},
    "remove": {"path": _WORD, **_WHY},
    "unit": {"unit": _WORD, "active": _TRUTH, **_WHY},
    "value": {"path": _WORD, "text": _TEXT, **_WHY},
    "space": {"path": _WORD, "bytes": ("a number of bytes", _is_size), **_WHY},
    "run": {
        "do": _WORDS,
        "undo": _WORDS,
        "touches?": _WORDS,
        "lasting?": _TRUTH,
        "trial?": ("a path that it touches, paths of sources, and words that it expects", _is_trial_of_made),
        **_WHY,
    },
}
