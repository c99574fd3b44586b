"""Ranges of physical addresses, and what they have in common."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class Span(msgspec.Struct, frozen=True, order=True):
    """Physical addresses from ``start`` up to, and without, ``end``."""

    start: int
    end: int

    @property
    def bytes(self) -> int:
        """How many bytes it holds."""
        return self.end - self.start

    def __str__(self) -> str:
        return f"{self.start:#x}-{self.end - 1:#x}"


def join(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same addresses as few spans, in order: what overlaps or touches becomes one."""
    joined: list[Span] = []
    for span in sorted(span for span in spans if span.end > span.start):
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return tuple(joined)


def without(spans: Iterable[Span], others: Iterable[Span]) -> tuple[Span, ...]:
    """Addresses of ``spans`` that are in none of ``others``."""
    left = list(join(spans))
    for other in join(others):
        cut: list[Span] = []
        for span in left:
            cut += [Span(span.start, min(span.end, other.start)), Span(max(span.start, other.end), span.end)]
        left = [span for span in cut if span.end > span.start]
    return tuple(left)


def total_bytes(spans: Iterable[Span]) -> int:
    """Bytes of all spans, each address counted once."""
    return sum(span.bytes for span in join(spans))
