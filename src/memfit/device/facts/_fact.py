"""What a fact is: the files it is read from, and a pure reader of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from memfit.host import Host


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One thing an audit reads.

    Attributes:
        paths: shell patterns of all files, folders and links ``read`` may touch. They are what a recording has and what
            is fetched over SSH in one round trip: a path that is not listed here is not there for three doors of four.
        read: from a host to the record; None where the device does not have it. Never writes.
        provides: what it returns, in words.
    """

    paths: tuple[str, ...]
    read: Callable[[Host], Any]
    provides: str
