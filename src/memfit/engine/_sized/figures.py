"""Terms of a ledger from a figure with its bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

from memfit.engine.records import Part, Pool, Source, Term
from memfit.units import MIB


class Range(msgspec.Struct, frozen=True):
    """A figure with its bounds, in bytes."""

    low_bytes: int
    likely_bytes: int
    high_bytes: int

    def __add__(self, other: Range) -> Range:
        return Range(
            self.low_bytes + other.low_bytes,
            self.likely_bytes + other.likely_bytes,
            self.high_bytes + other.high_bytes,
        )

    @property
    def empty(self) -> bool:
        """Whether there is nothing of it at all."""
        return not self.high_bytes


def exactly(size: int) -> Range:
    """A figure without bounds of its own."""
    return Range(size, size, size)


NOTHING = exactly(0)


def term(
    name: str, pool: Pool, size: Range, source: Source, formula: str, error: str = "", parts: tuple[Part, ...] = ()
) -> Term:
    """One item of a ledger."""
    return Term(
        name=name,
        pool=pool,
        low_bytes=size.low_bytes,
        likely_bytes=size.likely_bytes,
        high_bytes=size.high_bytes,
        source=source,
        formula=formula,
        error=error,
        parts=parts,
    )


Allocator = Literal["reserved", "grows"]

# Policy and not measurement. Engines that reserve their pools at start leave little to chance; 25 to 30 % is what 'The
# Memory Budget' section 7 adds for allocators that grow and fragment, of which weights, loaded once, are no part
_SHARES: dict[Allocator, tuple[float, float]] = {"reserved": (0.02, 0.05), "grows": (0.02, 0.25)}
_LEAST_BYTES = 64 * MIB


def _peaks(allocator: Allocator) -> Callable[[int, int], int]:
    of_weights, of_rest = _SHARES[allocator]
    return lambda weights, rest: max(_LEAST_BYTES, int(weights * of_weights + rest * of_rest))


PEAKS: dict[Allocator, Callable[[int, int], int]] = {"reserved": _peaks("reserved"), "grows": _peaks("grows")}
"""Room for peaks of so many bytes of weights and of all else."""


def headroom(terms: Iterable[Term], pool: Pool, allocator: Allocator) -> Term:
    """Room for what no term names: a share of the weights and a larger one of all else."""
    of_weights, of_rest = _SHARES[allocator]
    held = list(terms)
    weights = sum(one.high_bytes - one.evictable_bytes for one in held if one.name == "weights")
    rest = sum(one.high_bytes - one.evictable_bytes for one in held if one.name != "weights")
    high = PEAKS[allocator](weights, rest)
    return term(
        "peak_headroom",
        pool,
        Range(0, 0, high),
        "default",
        f"{of_weights:.0%} of the weights and {of_rest:.0%} of the rest, at least {_LEAST_BYTES // MIB} MiB",
        "a policy, not a measurement",
    )
