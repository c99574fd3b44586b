"""The record of what is known of an engine on Jetson, and how it is asked."""

from __future__ import annotations

import msgspec

from memfit.device.audit_records import EngineSupport
from memfit.device.compatibility._jetpack import parse_release

CONTAINERS = "dusty-nv/jetson-containers"
"""Builds of engines for Jetson; a file of it names the releases it builds for."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for releases from ``since`` to before ``before``, and for one GPU where ``capability`` names it.

    ``minimum_version`` is the oldest version that a source names for this release; older ones may work.
    """

    since: str = "0.0"
    before: str = "9999.0"
    capability: str | None = None
    runs: bool | None
    minimum_version: str | None = None
    reason: str
    source: str


class Support(msgspec.Struct, frozen=True, kw_only=True):
    """An engine; the first rule that holds is the answer, and without one nothing is known."""

    engine: str
    rules: tuple[Rule, ...]


def judge(support: Support, l4t: str | None, compute_capability: str | None) -> EngineSupport:
    """What is known of the engine on this release and GPU; a rule for one GPU needs to know which it is."""
    release = parse_release(l4t) if l4t else None
    for rule in support.rules:
        if release is None or rule.capability not in (None, compute_capability):
            continue
        if (parse_release(rule.since) or release) <= release < (parse_release(rule.before) or release):
            return EngineSupport(
                engine=support.engine,
                runs=rule.runs,
                minimum_version=rule.minimum_version,
                reason=rule.reason,
                source=rule.source,
            )
    return EngineSupport(engine=support.engine, runs=None, reason="no source says it for this release")
