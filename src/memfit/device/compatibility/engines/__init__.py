"""Which inference engines run on a release of Jetson Linux: one file an engine."""

from __future__ import annotations

from pathlib import Path

from memfit.catalog import Catalog
from memfit.device.audit_records import EngineSupport
from memfit.device.compatibility.engines._support import Support, judge

ENGINES: Catalog[Support] = Catalog(
    __name__, Path(__file__).parent, constant="SUPPORT", kind="engine of the compatibility table", type=Support
)


def engines_on(l4t: str | None, compute_capability: str | None = None) -> tuple[EngineSupport, ...]:
    """Every engine of the table on this release (``36.4.7``) and GPU (``8.7``); nothing off Jetson.

    ``runs`` is None where no source says it, for this release or at all.
    """
    return tuple(judge(support, l4t, compute_capability) for support in ENGINES) if l4t else ()
