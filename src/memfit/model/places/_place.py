"""The record of a way to name models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """A way to name models.

    Attributes:
        summary: one line for people, with an example.
        matches: whether a name is of this kind; reads nothing of any server.
        locate: the file or folder of this machine that it leads to. Raises ``ModelError``, ``UsageError``.
    """

    summary: str
    matches: Callable[[str], bool]
    locate: Callable[[str], Path]
    aliases: tuple[str, ...] = ()
