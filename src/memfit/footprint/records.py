"""The footprint: one ledger of terms, and whether it fits."""

from __future__ import annotations

from typing import Literal

import msgspec

from memfit.device.records import Device
from memfit.engine.records import Compared, Deployment, Profile, Term
from memfit.footprint.filling import Filled

Verdict = Literal["fits", "tight", "no"]


class ModelSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The model in the footprint's head line. Parameters in numbers, not billions."""

    name: str
    architecture: str
    parameters: int
    parameters_active: int
    layers: int
    weights_bytes: int
    format: str
    context_trained_tokens: int


class Relief(msgspec.Struct, frozen=True, kw_only=True):
    """One change that would make a deployment smaller, with its price.

    Attributes:
        option, value: the change, as ``memfit estimate`` takes it.
        saved_bytes: how much less must stay in memory.
        required_bytes, high_bytes: of the footprint after the change.
        verdict: after the change.
        cost: what is given up.
    """

    option: str
    value: str
    saved_bytes: int
    required_bytes: int
    high_bytes: int
    verdict: Verdict
    cost: str


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """What runs on this machine changed about a footprint (see ``footprint.calibration``).

    Attributes:
        of: runs of this very ``setting``, or of ``others`` that shift the runtime of this one.
        runs, settings: how many there were.
        machine, version: where, and of which engine.
        uncalibrated_bytes: ``likely`` without them.
        observations: their ids in the store of that machine.
        last: when the newest began (UTC, ISO 8601).
        filled: what the runs of this setting filled (see ``footprint.filling``); None of others.
    """

    of: Literal["setting", "others"]
    runs: int
    settings: int
    machine: str
    version: str
    uncalibrated_bytes: int
    observations: tuple[int, ...] = ()
    last: str = ""
    filled: Filled | None = None


class Footprint(msgspec.Struct, frozen=True, kw_only=True):
    """What one deployment takes on one device.

    Attributes:
        terms: the ledger. ``os`` is information and not part of the sums where ``capacity_bytes`` already excludes it.
        low_bytes, likely_bytes, high_bytes: sums over the terms that count against the capacity.
        evictable_bytes: the file-mapped part of ``high``.
        working_set_bytes: the part of ``evictable`` that is read for every token.
        required_bytes: unevictable high plus the mapped working set: what must be in memory to run without paging.
        capacity_bytes: what the device has for it.
        headroom_bytes: capacity less required; negative when it does not fit.
        verdict: ``fits``: required ≤ capacity; ``tight``: only the unevictable part fits, it will page; ``no``.
        engine: which engine answered, with version, backend and instruction set.
        profile: whose defaults and runtime: the engine's library or its server.
        warnings: what the reader must know, one sentence each.
        relief: changes that would give most, largest first.
        learned: what runs on this machine corrected; None where none did.
        compared: formula beside engine, where both were asked.
    """

    model: ModelSummary
    deployment: Deployment
    device: Device
    terms: tuple[Term, ...]
    low_bytes: int
    likely_bytes: int
    high_bytes: int
    evictable_bytes: int
    working_set_bytes: int
    required_bytes: int
    capacity_bytes: int
    headroom_bytes: int
    verdict: Verdict
    engine: str
    profile: Profile = "library"
    warnings: tuple[str, ...] = ()
    relief: tuple[Relief, ...] = ()
    learned: Learned | None = None
    compared: tuple[Compared, ...] = ()
    schema_version: int = 1


class CurvePoint(msgspec.Struct, frozen=True, kw_only=True):
    """One point of a sweep."""

    value: int
    likely_bytes: int
    high_bytes: int
    required_bytes: int
    verdict: Verdict


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """A footprint over one option, ``context`` or ``slots``, against one capacity."""

    option: str
    model: ModelSummary
    device: Device
    capacity_bytes: int
    points: tuple[CurvePoint, ...]
    schema_version: int = 1


class Largest(msgspec.Struct, frozen=True, kw_only=True):
    """The largest value of an option that fits.

    Attributes:
        option: ``context`` (tokens) or ``slots``.
        value: None where not even the smallest fits.
        most: where the search ended: the trained context, or the engine's limit of slots.
        footprint: at ``value``, or at the smallest where none fits.
    """

    option: str
    value: int | None
    most: int
    footprint: Footprint
    schema_version: int = 1
