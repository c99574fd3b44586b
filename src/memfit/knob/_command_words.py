"""Words of a kernel's command line: which stand there, a line with others, and the one that proves it was booted.

A new line also gets ``memfit.boot=`` with a digest of the rest. The kernel takes it for an option of a module that it
does not have, and keeps silent; ``/proc/cmdline`` shows by it which label was booted, which a loader that reads nothing
would not say.
"""

from __future__ import annotations

import hashlib
import re

from memfit.agent import boot
from memfit.device.audit_records import Audit
from memfit.knob.records import Words

PROOF = boot.PROOF
_MOST_CHARACTERS = 2047
"""COMMAND_LINE_SIZE of arm64 and x86 is 2,048 with the zero at the end; what is beyond is cut without a word."""
_WORD = re.compile(r'(?:[^\s"]|"[^"]*"?)+')


def split(text: str) -> tuple[str, ...]:
    """Words of a command line; spaces within quotes part none (``next_arg`` in lib/cmdline.c)."""
    return tuple(_WORD.findall(text))


def key_of(word: str) -> str:
    """A word's name; the kernel takes ``-`` and ``_`` for one another (``parameq``)."""
    return word.partition("=")[0].replace("-", "_")


def current(audit: Audit, name: str) -> tuple[str, ...]:
    """Values that a word has on the running kernel's command line, the last of which counts mostly."""
    words = split(audit.boot.command_line or "")
    return tuple(word.partition("=")[2] for word in words if key_of(word) == key_of(name))


def changed(text: str, words: Words) -> str:
    """A command line with other words, the new ones last: before ``--``, behind which all is for init."""
    names = {key_of(name) for name in words}
    kept = [word for word in split(text) if key_of(word) not in names]
    end = kept.index("--") if "--" in kept else len(kept)
    new = [name + ("" if value == "" else f"={value}") for name, value in sorted(words.items()) if value is not None]
    return " ".join((*kept[:end], *new, *kept[end:]))


def proven(text: str) -> str:
    """A command line with the word that proves that it was booted: of the digest of all others."""
    bare = changed(text, {PROOF: None})
    return changed(bare, {PROOF: hashlib.sha256(bare.encode("utf-8", "surrogateescape")).hexdigest()[:8]})


def proof_of(text: str) -> str:
    """The value of the word that proves a command line."""
    return next(word for word in split(text) if key_of(word) == PROOF).partition("=")[2]


def said(words: Words) -> str:
    """Which words are set and taken away."""
    told = [f"without {name}" if value is None else changed("", {name: value}) for name, value in sorted(words.items())]
    return ", ".join(told)


def too_long(now: str, words: Words) -> str:
    """Why a line cannot have these words; empty where it can."""
    longer = len(proven(changed(now, words)))
    return f"it would be longer than {_MOST_CHARACTERS} characters" if longer > _MOST_CHARACTERS else ""
