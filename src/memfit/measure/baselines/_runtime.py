"""The record of a runtime whose cost before any model can be measured."""

from __future__ import annotations

import msgspec

DOCUMENT = "'Running Inference at the Edge: The Memory Budget', section 6"


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    """A runtime.

    Attributes:
        name: as its makers write it.
        module: the Python module that has to be installed; empty where the runtime is no Python module.
        distribution: the installed package that its version is read from, without importing it.
        statement: Python that brings the runtime up with the fewest objects that run anything, and no model.
        brings_up: the same in words.
        summary: one line for people.
        documented_low_bytes, documented_high_bytes: what ``DOCUMENT`` gives for it, None where it has no such row. Its
            MB are read as 10^6 bytes.
        note: what a reader of the measured figure must know.
        aliases: other names for it.
    """

    name: str
    module: str
    distribution: str = ""
    statement: str = ""
    brings_up: str = ""
    summary: str
    documented_low_bytes: int | None = None
    documented_high_bytes: int | None = None
    note: str = ""
    aliases: tuple[str, ...] = ()
