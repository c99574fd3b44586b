"""The table of docs/speed.md."""

from __future__ import annotations


def refresh() -> None:
    """Write the generated blocks."""
