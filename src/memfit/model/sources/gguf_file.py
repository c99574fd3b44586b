"""A GGUF file by its path."""

from __future__ import annotations

import os
from pathlib import Path

from memfit.model.file import read_shape
from memfit.model.gguf._refusals import is_entry
from memfit.model.shape import ModelShape
from memfit.model.sources._source import Source


def _takes(name: str) -> bool:
    return not name or os.sep in name or name.lower().endswith(".gguf") or is_entry(Path(name))


def _shape(name: str, format: str | None, known_only: bool) -> ModelShape:
    return read_shape(name, known_only=known_only)  # a file has its own format


SOURCE = Source(summary="path of a .gguf file", place=20, takes=_takes, shape=_shape)
