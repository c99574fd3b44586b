"""How the workbench answers, and what it says where a file of its own cannot be written or read."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from memfit.engine._llama_cpp._child.bench_model import Refused


class Talk:
    """Events on a pipe, a line of JSON each; data in bytes behind its line."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def say(self, event: str, **content: Any) -> None:
        """One event."""
        self._write(json.dumps({"event": event, **content}).encode() + b"\n")

    def part(self, **content: Any) -> None:
        """A part of an answer."""
        self.say("part", **content)

    def data(self, content: Any) -> None:
        """An array's bytes."""
        self.say("data", bytes=content.nbytes)
        self._write(np.ascontiguousarray(content).data.cast("B"))

    def _write(self, data: bytes | memoryview) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._fd, left) :]


@contextmanager
def kept(path: str) -> Iterator[None]:
    """Writes a file; nothing is left of one that the disk has no room for."""
    try:
        yield
    except OSError as failure:
        Path(path).unlink(missing_ok=True)
        raise Refused(
            f"write {path}: {failure.strerror or failure}; free some space, or choose another disk"
        ) from failure


@contextmanager
def whole(path: str) -> Iterator[None]:
    """Reads a file of arrays; what numpy says of a damaged one is no accident of this program."""
    try:
        yield
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as failure:
        raise Refused(f"read {Path(path).name}, which is damaged ({failure})") from failure
