"""``manifest.json``: everything known about the shipped model, from which its card is written and its tests checked."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

MODEL = "memfit-tiny-F16.gguf"
IMPORTANCE = "memfit-tiny.imatrix.gguf"
MANIFEST = "manifest.json"
CARD = "README.md"


def files(folder: Path) -> dict[str, dict[str, Any]]:
    """Size and hash of the model and its importances, by file name."""
    return {
        name: {
            "bytes": (folder / name).stat().st_size,
            "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest(),
        }
        for name in (MODEL, IMPORTANCE)
    }


def read(folder: Path) -> dict[str, Any]:
    """The manifest of a model's folder."""
    content: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return content


def write(folder: Path, content: dict[str, Any]) -> None:
    """Replace the manifest of a model's folder."""
    (folder / MANIFEST).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
