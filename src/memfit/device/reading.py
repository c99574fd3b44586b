"""Small files of ``/proc`` and ``/sys``: one value each, or none."""

from __future__ import annotations

import re

from memfit.errors import ProbeError
from memfit.host import Host

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}(?![0-9])", re.ASCII)
_SMALL = 1 << 16


def read_text(host: Host, path: str, *, most: int = _SMALL) -> str | None:
    """A file as text without the space around it; None where it is absent or may not be read."""
    try:
        return host.read_bytes(path, most=most).decode("utf-8", "replace").strip("\0 \t\r\n")
    except ProbeError:  # NeedsRoot too
        return None


def read_integer(host: Host, path: str) -> int | None:
    """The decimal integer a file begins with; None where it is absent, may not be read or says something else."""
    return integer(read_text(host, path, most=64))


def integer(text: str | None) -> int | None:
    """The decimal integer a text begins with; None where there is none, or one of more than 19 digits (2^64 has 20)."""
    found = _INTEGER.match(text) if text else None
    return int(found.group()) if found else None
