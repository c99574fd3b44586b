"""From a footprint and a capacity to a verdict in words."""

from __future__ import annotations

from memfit.fit.records import FitVerdict
from memfit.fit.sizes import Sum
from memfit.units import format_bytes, format_tokens

COMFORTABLE_SHARE = 0.1
"""Of the capacity to spare: what a service started later, or a longer day, takes."""


def judge(found: Sum, capacity_bytes: int) -> tuple[FitVerdict, str]:
    """Whether this footprint fits, and what keeps it from being comfortable."""
    spare = capacity_bytes - found.required
    if spare >= COMFORTABLE_SHARE * capacity_bytes:
        return "comfortable", ""
    if spare >= 0:
        return "tight", f"{format_bytes(spare)} to spare"
    if found.kept <= capacity_bytes:
        return "no", f"{format_bytes(-spare)} short: mapped weights would be read again for every token"
    return "no", f"{format_bytes(-spare)} short"


def capped(context_tokens: int, asked_tokens: int) -> tuple[FitVerdict, str]:
    """The verdict where only a smaller context fits."""
    return "barely", f"{format_tokens(context_tokens)} of the {format_tokens(asked_tokens)} context asked for"


def untrained(trained_tokens: int, asked_tokens: int) -> tuple[FitVerdict, str]:
    """The verdict where the model has no more context than this."""
    return "barely", f"trained for {format_tokens(trained_tokens)} of the {format_tokens(asked_tokens)} asked for"


def last_resort(format: str) -> tuple[FitVerdict, str]:
    """The verdict where it fits only in a format that takes much of what the model can do."""
    return "barely", f"only in {format}, a last resort"
