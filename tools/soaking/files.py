"""Fabricated models kept on disk while they are needed: by card and preset, within a budget, oldest use first out."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from memfit.errors import MemfitError
from memfit.model.cards import CARDS
from memfit.model.fabricate import fabricate

SPARE_BYTES = 4 * 1024**3  # of the disk, left to others


class Files:
    """A folder of fabricated models. Only files that it made itself are ever deleted: ``*.gguf`` of this folder."""

    def __init__(self, folder: Path, budget_bytes: int) -> None:
        self.folder = folder
        self.budget_bytes = budget_bytes

    def get(self, card: str, preset: str, size_bytes: int) -> Path:
        """The file, made now where it is not there; others make room for it.

        Raises:
            MemfitError: it is larger than the budget, or the disk has no room.
        """
        path = self.folder / f"{card}-{preset}.gguf"
        if path.exists():
            os.utime(path)
            return path
        self.folder.mkdir(parents=True, exist_ok=True)
        self._make_room(size_bytes + (64 << 20))  # header and vocabulary
        fabricate(CARDS.get(card).name, path, format=preset)
        return path

    def _make_room(self, size_bytes: int) -> None:
        if size_bytes > self.budget_bytes:
            raise MemfitError(f"a file of {size_bytes >> 20} MiB is above the budget", hint="--disk takes more")
        kept = sorted(self.folder.glob("*.gguf"), key=lambda path: path.stat().st_mtime)
        while kept and (
            sum(path.stat().st_size for path in kept) + size_bytes > self.budget_bytes
            or shutil.disk_usage(self.folder).free < size_bytes + SPARE_BYTES
        ):
            kept.pop(0).unlink()
        if shutil.disk_usage(self.folder).free < size_bytes + SPARE_BYTES:
            raise MemfitError("the disk has no room for another model", hint="free some, or soak in another folder")
