"""What a search has learned, one JSON line each, on disk before it counts: work that ended early goes on from there.

The folder's name is a digest of everything that the results depend on, so no line is ever used for another question.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from memfit.errors import MemfitError


class Notes:
    """A folder of results.

    Args:
        identity: what they depend on.
        folder: where; by default ``$XDG_CACHE_HOME/memfit/precision``.

    Raises:
        MemfitError: the folder cannot be made or written.
    """

    def __init__(self, identity: dict[str, Any], folder: Path | None = None) -> None:
        text = json.dumps(identity, sort_keys=True)
        self.folder = (folder or _cache()) / hashlib.sha256(text.encode()).hexdigest()[:24]
        self._path = self.folder / "learned.jsonl"
        self._known: dict[str, Any] = {}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / "of.json").write_text(text + "\n", encoding="utf-8")
            self._sweep()
            self._read()
        except OSError as failure:
            raise self._failed(failure) from failure

    def __contains__(self, key: str) -> bool:
        return key in self._known

    def get(self, key: str) -> Any:
        """What was learned under a name; None where nothing was."""
        return self._known.get(key)

    def learn(self, key: str, value: Any) -> None:
        """Keep a result.

        Raises:
            MemfitError: the disk is full or fails.
        """
        line = json.dumps([key, value]).encode() + b"\n"
        try:
            with self._path.open("ab") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as failure:
            raise self._failed(failure) from failure
        self._known[key] = value

    def place(self, name: str) -> Path:
        """A file of the folder's own; there only when it is whole (see ``settle``)."""
        return self.folder / name

    def settle(self, name: str, made: Path) -> Path:
        """Give a file that was made its name."""
        try:
            return made.replace(self.place(name))
        except OSError as failure:
            raise self._failed(failure) from failure

    def forget(self) -> None:
        """Remove all of it."""
        for path in self.folder.iterdir():
            with suppress(OSError):
                path.unlink()
        with suppress(OSError):
            self.folder.rmdir()

    def _sweep(self) -> None:
        """Remove what a killed search left half-made; files of one that lives, by its process's number, stay."""
        for path in self.folder.glob("*-*.*"):
            number = path.stem.rpartition("-")[2]
            if number.isdigit() and not Path("/proc", number).exists():
                path.unlink(missing_ok=True)

    def _read(self) -> None:
        """Take in what is whole; a line that was cut off or damaged is learned again."""
        with suppress(FileNotFoundError):
            content = self._path.read_bytes()
            for line in content.split(b"\n"):
                with suppress(ValueError, TypeError):  # no JSON, or no pair
                    key, value = json.loads(line)
                    self._known[key] = value
            if content and not content.endswith(b"\n"):
                # ended, not cut away: another search may be writing to the same file
                with self._path.open("ab") as file:
                    file.write(b"\n")

    def _failed(self, failure: OSError) -> MemfitError:
        return MemfitError(
            f"cannot keep what was learned in {self.folder}: {failure.strerror or failure}",
            hint="free some space, or give another folder: --work",
        )


def _cache() -> Path:
    root = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(root) if Path(root).is_absolute() else Path.home() / ".cache") / "memfit" / "precision"
