"""Figures from the engine's log, in MiB with two decimals: the check of the exact ones, and their substitute.

Lines: llama.cpp src/llama-context.cpp, src/llama-kv-cache.cpp, src/llama-memory-recurrent.cpp (0c1e57098).
"""

from __future__ import annotations

import re
from typing import Any

MIB = 1024**2
ROUNDING_BYTES = MIB // 200 + 1  # half of the last printed digit, 0.005 MiB

_NUMBER = r"=\s*([0-9.]+) MiB"
_BUFFER = re.compile(rf"^\S+:\s*(\S+)\s+(output|compute|RS) buffer size {_NUMBER}", re.MULTILINE)
_CACHE = re.compile(
    rf"^\S+: size {_NUMBER} \(\s*(\d+) cells,\s*(\d+) layers,\s*(\d+)(?:/(\d+))? seqs[^)]*\), (\w) \(", re.MULTILINE
)
_OUTPUTS = re.compile(r"^\S+: n_outputs_max\s+= (\d+)$", re.MULTILINE)


def figures(text: str) -> dict[str, Any]:
    """The rounded figures of one context.

    Returns:
        ``compute``: bytes by buffer name; ``output``: bytes or None; ``caches``: bytes, cells, layers and kind
        (``state`` for recurrent ones, else ``kv``) of each; ``n_outputs_max``.
    """
    compute: dict[str, int] = {}
    output = None
    for name, kind, size in _BUFFER.findall(text):
        if kind == "output":
            output = to_bytes(size)
        elif kind == "compute":
            compute[name] = compute.get(name, 0) + to_bytes(size)
    caches = [
        {
            "bytes": to_bytes(size),
            "cells": int(cells),
            "layers": int(layers),
            "kind": "state" if first == "R" else "kv",
        }
        for size, cells, layers, _, _, first in _CACHE.findall(text)
    ]
    rows = _OUTPUTS.search(text)
    return {"compute": compute, "output": output, "caches": caches, "n_outputs_max": int(rows[1]) if rows else None}


def to_bytes(mebibytes: str) -> int:
    """Bytes of a printed figure."""
    return round(float(mebibytes) * MIB)


def agree(exact: int, printed: int, lines: int = 1) -> bool:
    """Whether an exact figure rounds to what was printed over so many lines."""
    return abs(exact - printed) <= ROUNDING_BYTES * max(1, lines)
