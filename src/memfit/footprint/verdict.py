"""Sums of a ledger and whether they fit."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from memfit.engine.records import Term
from memfit.footprint.records import Verdict


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over the terms that count against a capacity."""

    low_bytes: int
    likely_bytes: int
    high_bytes: int
    evictable_bytes: int
    working_set_bytes: int

    @property
    def unevictable_bytes(self) -> int:
        """What the kernel cannot take back: it must be in memory, or the process dies."""
        return self.high_bytes - self.evictable_bytes

    @property
    def required_bytes(self) -> int:
        """What must be in memory to run without paging."""
        return self.unevictable_bytes + self.working_set_bytes


def total(terms: Iterable[Term]) -> Totals:
    """Sums over ``terms``; what the system holds already (pool ``system``) is left out."""
    counted = [term for term in terms if term.pool != "system"]
    return Totals(
        low_bytes=sum(term.low_bytes for term in counted),
        likely_bytes=sum(term.likely_bytes for term in counted),
        high_bytes=sum(term.high_bytes for term in counted),
        evictable_bytes=sum(term.evictable_bytes for term in counted),
        working_set_bytes=sum(term.working_set_bytes for term in counted),
    )


def judge(totals: Totals, capacity_bytes: int) -> Verdict:
    """The verdict on a ledger."""
    return verdict_of(totals.required_bytes, totals.unevictable_bytes, capacity_bytes)


def verdict_of(required_bytes: int, unevictable_bytes: int, capacity_bytes: int) -> Verdict:
    """``fits`` without paging, ``tight`` where mapped weights would page, ``no`` where the process would be killed."""
    if required_bytes <= capacity_bytes:
        return "fits"
    return "tight" if unevictable_bytes <= capacity_bytes else "no"
