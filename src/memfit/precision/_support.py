"""The record of what one engine does with a number format from one compute capability on."""

from __future__ import annotations

from typing import Literal

import msgspec

How = Literal["native", "weight-only", "unsupported"]

CPU = "cpu"
"""``Support.least`` of an engine that computes on the processor."""


class Support(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine does with weights of a format.

    Attributes:
        engine: key of ``memfit.engine.runtimes``.
        least: compute capability from which this holds (``8.9``), ``0`` for any GPU, ``cpu`` for the processor.
        before: capability from which it no longer holds; empty where it goes on.
        how: ``native``: the arithmetic is done in this format, activations too where it has them; ``weight-only``:
            weights are stored in it and expanded on the fly, so memory is saved and not arithmetic; ``unsupported``.
        says: why, or by what.
        source: where that is written.
        below: whether a GPU below the least of all entries is known not to run it, or nobody says.
    """

    engine: str
    least: str = "0"
    before: str = ""
    how: How
    says: str
    source: str
    below: Literal["unsupported", "unknown"] = "unsupported"


def capability_of(text: str) -> tuple[int, int]:
    """``8.7`` as numbers. Thor's 10.1 is what CUDA before 13 calls 11.0.

    Raises:
        ValueError: no compute capability.
    """
    major, _, minor = text.partition(".")
    version = (int(major), int(minor or 0))
    return (11, 0) if version == (10, 1) else version


def answer(entries: tuple[Support, ...], capability: str | None) -> Support | None:
    """Of one engine's ``entries`` the one that holds on this GPU, or on the processor where ``capability`` is None.

    None where nobody knows. A GPU below all entries is answered as unsupported, with the least that would do.
    """
    if not entries:
        return None
    on_gpu = [entry for entry in entries if entry.least != CPU]
    if capability is None:
        here = [entry for entry in entries if entry.least == CPU]
        return here[0] if here else None
    if not on_gpu:
        return _refused(entries[0], "is computed on the processor only")
    version = capability_of(capability)
    holding = [entry for entry in on_gpu if capability_of(entry.least) <= version and not _over(entry, version)]
    if holding:
        return max(holding, key=lambda entry: capability_of(entry.least))
    least = min(on_gpu, key=lambda entry: capability_of(entry.least))
    if least.below == "unknown":
        return None
    return _refused(least, f"needs compute capability {least.least} or newer, and this GPU has {capability}")


def _over(entry: Support, version: tuple[int, int]) -> bool:
    return bool(entry.before) and version >= capability_of(entry.before)


def _refused(entry: Support, says: str) -> Support:
    return Support(engine=entry.engine, least=entry.least, how="unsupported", says=says, source=entry.source)
