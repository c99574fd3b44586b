"""What SQLite and the system say of a store, in words that name the file and what to do about it."""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from memfit.errors import MeasureError

_ELSEWHERE = "let MEMFIT_STORE name a file that can be written"
# SQLite's own words (sqlite3.c, sqlite3ErrStr): Python before 3.11 gives no codes
_KNOWN = (
    ("locked", "another memfit has been writing to it for too long", "try again when it has ended"),
    ("disk is full", "the disk is full", f"free some space, or {_ELSEWHERE}"),
    ("disk i/o error", "the disk failed", f"look at dmesg, and {_ELSEWHERE}"),
    ("readonly database", "it cannot be written", _ELSEWHERE),
    ("unable to open", "it cannot be opened", _ELSEWHERE),
)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """What fails inside is a ``MeasureError`` that names the file."""
    try:
        yield
    except sqlite3.OperationalError as error:
        said = str(error).lower()
        for sign, what, hint in _KNOWN:
            if sign in said:
                raise MeasureError(f"{path}: {what}", hint=hint) from error
        raise MeasureError(f"{path}: {error}", hint=_away(path)) from error
    except (sqlite3.DatabaseError, msgspec.ValidationError) as error:
        if "not a database" in str(error):
            hint = f"let MEMFIT_STORE name another file; if it is one, {_away(path)}"
            raise MeasureError(f"{path}: not a store of runs, or its beginning is damaged", hint=hint) from error
        raise MeasureError(f"{path}: a damaged store of runs ({error})", hint=_away(path)) from error
    except OSError as error:
        raise MeasureError(f"{path}: {error.strerror or error}", hint=_ELSEWHERE) from error


def _away(path: Path) -> str:
    """A damaged file is never written over: its runs may be saved."""
    old, new = shlex.quote(str(path)), shlex.quote(f"{path}.damaged")
    saved = shlex.quote(f"{path}.saved")
    return f"move it away with: mv {old} {new}; what is left of it: sqlite3 {new} .recover | sqlite3 {saved}"
