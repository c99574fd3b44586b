"""Rows of logits with known properties."""

from __future__ import annotations

import importlib
from typing import Any

np: Any = importlib.import_module("numpy")


def pair(rows: int, vocabulary: int, change: float, seed: int = 0) -> tuple[Any, Any, Any]:
    """Logits of a base, of a model near to it, and ids that come."""
    random = np.random.default_rng(seed)
    base = random.normal(0, 3, (rows, vocabulary)).astype(np.float32)
    other = (base + random.normal(0, change, base.shape)).astype(np.float32)
    return base, other, random.integers(0, vocabulary, rows)
