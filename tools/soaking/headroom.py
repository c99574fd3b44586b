"""Decisions that were made with another room for what no term names, as they are made now."""

from __future__ import annotations

import msgspec

from memfit.engine._llama_cpp.terms import PEAK_LEAST_BYTES, peak_bytes
from memfit.footprint.verdict import verdict_of
from soaking.decide import RULES, Decision

_FIRST_SHARE = 0.01  # by the rules of 1


def kept_without(kept_bytes: int) -> int:
    """What cannot be dropped, less the room that the rules of 1 kept beside it."""
    floor = kept_bytes - PEAK_LEAST_BYTES
    if int(floor * _FIRST_SHARE) <= PEAK_LEAST_BYTES:
        return floor
    return round(kept_bytes / (1 + _FIRST_SHARE))


def saved_bytes(one: Decision) -> int:
    """What is asked for less today; the same by formula and by the engine, which name the same terms."""
    if one.rules >= RULES or not one.kept_bytes:
        return 0
    kept = kept_without(one.kept_bytes)
    return one.kept_bytes - kept - peak_bytes(kept, "cpu", "library")


def by_todays_rules(one: Decision) -> Decision:
    """The decision with today's room."""
    saved = saved_bytes(one)
    if not saved or "refused" in (one.said, one.oracle):
        return one
    required, oracle, kept = one.required_bytes - saved, one.oracle_required_bytes - saved, one.kept_bytes - saved
    limit = one.drawn.limit_bytes
    return msgspec.structs.replace(
        one,
        said=verdict_of(required, kept, limit),
        # how much of it cannot be dropped is kept of the formula's answer alone; both differ by as much as they require
        oracle=verdict_of(oracle, kept + oracle - required, limit),
        required_bytes=required,
        oracle_required_bytes=oracle,
        kept_bytes=kept,
        rules=RULES,
    )
