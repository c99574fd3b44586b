"""Markdown tables, and the places in a document where they go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def replaced(document: str, name: str, text: str) -> str:
    """The document with ``text`` between ``<!-- name -->`` and ``<!-- /name -->``.

    Raises:
        ValueError: the document has no such place.
    """
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, opened, rest = document.partition(start)
    _, closed, after = rest.partition(end)
    if not opened or not closed:
        raise ValueError(f"the document has no {start} … {end}")
    return f"{before}{start}\n{text}\n{end}{after}"


def milliseconds(value: float) -> str:
    """With as many digits as a measurement of this size deserves."""
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def ratio(value: float, base: float) -> str:
    """How many times as much as the base."""
    times = value / base
    if times < 0.95:
        return f"{times:.2g}×"
    return f"{times:.1f}×" if times < 100 else f"{times:,.0f}×"


def percent(found: float, actual: float) -> str:
    """The signed error in percent; in bytes where percent would not show it."""
    error = (found - actual) / actual * 100
    if found == actual:
        return "0"
    if abs(error) < 0.005:
        return f"{found - actual:+,.0f} B"
    return f"{error:+.2f} %" if abs(error) < 1 else f"{error:+.1f} %"
