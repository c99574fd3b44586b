"""The record of an engine's efficiency on the chips it was published on."""

from __future__ import annotations

import msgspec

from memfit.speed.records import Efficiency


class EngineEfficiency(msgspec.Struct, frozen=True, kw_only=True):
    """One engine.

    Attributes:
        engine: its key.
        chips: one entry a chip.
        aliases: other keys that mean the same engine.
    """

    engine: str
    chips: tuple[Efficiency, ...]
    aliases: tuple[str, ...] = ()
