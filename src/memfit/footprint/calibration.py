"""What runs taught: residuals kept as data, and a footprint corrected by them.

Defined here and produced by ``measure``: feedback travels as data, never as an import.
"""

from __future__ import annotations

import msgspec


class Residual(msgspec.Struct, frozen=True, kw_only=True):
    """What one setting showed.

    Attributes:
        setting: digest of all that decides its memory: shape, options, format, profile, what runs beside it.
        model: its name, for people.
        likely_bytes: what was predicted without calibration.
        observed_bytes: peak PSS of every run, in order.
        unevictable_bytes: the largest that could not be dropped.
        observations: ids in the store they were learned from.
        last: when the newest of them began (UTC, ISO 8601).
    """

    setting: str
    model: str
    likely_bytes: int
    observed_bytes: tuple[int, ...]
    unevictable_bytes: int
    observations: tuple[int, ...] = ()
    last: str = ""


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Residuals of one engine on one machine.

    Attributes:
        machine, engine, version, backend: what they hold for, and for nothing else.
        residuals: one for every setting that ran.
    """

    machine: str
    engine: str
    version: str
    backend: str
    residuals: tuple[Residual, ...] = ()
    schema_version: int = 1
