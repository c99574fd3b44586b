"""The names nearest to one that nobody knows: by what it holds, by its words and numbers, by its letters.

Letters alone mislead where numbers carry the meaning: ``Llama 3.3 8B`` differs from ``Llama-3.2-3B`` in two characters,
and what its user wants is an 8B of that family, or the 3.3 that exists.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

_LISTED = 3
# a name, an amount with its unit (8b, 270m, 8x22b, a22b), or a version (3.3)
_WORD = re.compile(r"a?\d+(?:x\d+)?(?:\.\d+)?[bmk](?![a-z])|\d+(?:\.\d+)*|[a-z]+")
_AMOUNT = re.compile(r"(a?)(?:(\d+)x)?(\d+(?:\.\d+)?)([bmk])")
_UNITS = {"k": 1e3, "m": 1e6, "b": 1e9}
_LEAST_SHARE = 0.4  # of the asked words' weight that a name must give to be near
_SURPLUS = 0.08  # taken off for each word that a candidate has and was not asked for
# Two numbers that are almost right count for less than one that is right and one that is not: who asks for the 8B of a
# version that has none means another version's 8B, or that version, and not a neighbour in both.
_SAME_MAJOR, _SAME_VERSION = 0.3, 0.6  # a version of the same major: far off, and next to it
_OTHER_SIZE, _HALVED = 0.5, 0.4  # almost the same size, and how much less with each halving or doubling
_FAMILY = 3  # letters of a word that names a family: the q of a number format does not


def nearest(wanted: str, known: Iterable[str]) -> tuple[str, ...]:
    """At most three of ``known`` that may be meant by ``wanted``, the nearest first; none where nothing is near."""
    import difflib  # only on this path: it costs 4 ms to import

    names = sorted(known)
    folded = {_fold(name): name for name in names}
    letters = _fold(wanted)
    # what was shortened (nx, orin) is like none of them by its letters, and yet a part of some
    held = [name for name in folded if len(letters) > 1 and letters in name]
    held.sort(key=lambda name: (name.find(letters), len(name)))
    near = [folded[name] for name in held]
    near += _by_words(wanted, names)
    near += [folded[name] for name in difflib.get_close_matches(letters, list(folded), n=_LISTED, cutoff=0.5)]
    return tuple(dict.fromkeys(near))[:_LISTED]


def _by_words(wanted: str, names: list[str]) -> list[str]:
    """Names of the same family by version and size; nothing where the asked name has no number or no family."""
    asked = _words(wanted)
    if _family(asked) is None or all(word.isalpha() for word in asked):
        return []
    scores = {name: _score(asked, _words(name)) for name in names}
    likely = [name for name in names if scores[name] >= _LEAST_SHARE * len(asked)]
    return sorted(likely, key=lambda name: (-scores[name], name))


def _score(asked: tuple[str, ...], words: tuple[str, ...]) -> float:
    if _family(asked) not in words:
        return 0.0
    given = sum(max((_likeness(word, other) for other in words), default=0.0) for word in asked)
    return given - _SURPLUS * max(0, len(words) - len(asked))


def _likeness(asked: str, word: str) -> float:
    if asked == word:
        return 1.0
    ours, theirs = _amount(asked), _amount(word)
    if ours and theirs:
        return max(0.0, _OTHER_SIZE - _HALVED * abs(math.log2(ours / theirs)))
    if asked[0].isdigit() and word[0].isdigit() and ours is None and theirs is None:
        return _versions(asked, word)
    return 0.0


def _versions(asked: str, word: str) -> float:
    ours, theirs = (float(".".join(text.split(".")[:2])) for text in (asked, word))
    if int(ours) != int(theirs):
        return 0.0
    return _SAME_MAJOR + (_SAME_VERSION - _SAME_MAJOR) * (1 - abs(ours - theirs))


def _amount(word: str) -> float | None:
    match = _AMOUNT.fullmatch(word)
    if match is None or match[1]:  # a22b counts what is active, which is no size to compare
        return None
    return int(match[2] or 1) * float(match[3]) * _UNITS[match[4]]


def _family(words: tuple[str, ...]) -> str | None:
    return next((word for word in words if word.isalpha() and len(word) >= _FAMILY), None)


def _words(name: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(name.lower().replace("_", " ")))


def _fold(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")
