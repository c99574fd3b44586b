"""Spans of text in cells of a terminal: characters to draw with, widths, labels and legends."""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

from memfit.render.untrusted import clean, clip
from memfit.units import GIB, format_bytes


class Span(NamedTuple):
    """Text and the name of its style; an empty name is plain text."""

    text: str
    style: str = ""


Line = list[Span]


class Glyphs(NamedTuple):
    """The characters to draw with.

    ``eighths`` are blocks of 1/8 to 7/8 of a cell's width, or empty; ``levels`` of 1/8 to the whole of its height.
    """

    solid: str
    pale: str
    evictable: str
    limit: str
    eighths: str
    clip: str
    rule: str
    ok: str
    warn: str
    bad: str
    dot: str
    free: str
    seen: str
    levels: str


BLOCKS = Glyphs("█", "░", "▒", "│", "▏▎▍▌▋▊▉", "…", "─", "✓", "!", "✗", "·", "·", "◆", "▁▂▃▄▅▆▇█")
ASCII = Glyphs("#", ".", "=", "|", "", "~", "-", "+", "!", "x", "-", "_", "o", ".:-=+*%#")

VALUE_CELLS = 11
LONGEST_LABEL = 18
LONGEST_LEGEND = 30


def short_bytes(size: int) -> str:
    """A size beside a bar: GiB from one GiB up, with two digits below a thousand, so that it keeps its place."""
    if abs(size) >= 1000 * GIB:
        return f"{size / GIB:.0f} GiB"
    return f"{size / GIB:.2f} GiB" if abs(size) >= GIB else format_bytes(size)


def cut(text: str, cells: int, mark: str) -> str:
    """The text in at most ``cells`` cells of a terminal, its middle cut."""
    longest = len(text)
    while cell_width(shown := clip(text, longest, mark=mark)) > cells:
        longest = min(longest, cells) - (longest <= cells)
    return shown


def fit(text: str, cells: int, mark: str, *, right: bool = False) -> str:
    """The text in exactly ``cells`` cells of a terminal, cut or padded."""
    shown = cut(text, cells, mark)
    blank = " " * (cells - cell_width(shown))
    return blank + shown if right else shown + blank


def cell_width(text: str) -> int:
    """How many cells a terminal takes for this text: two for East Asian wide letters, none for combining marks."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def brief(name: str, glyphs: Glyphs) -> str:
    """A name in a legend."""
    return cut(clean(name), LONGEST_LABEL, glyphs.clip)


def label_width(names: list[str]) -> int:
    """Cells for labels of these names."""
    return min(max((cell_width(clean(name)) for name in names), default=0), LONGEST_LABEL)


def limit_entry(name: str, size: int | None, glyphs: Glyphs) -> list[tuple[str, str]]:
    """The limit's entry of a legend, where there is one."""
    return [] if size is None else [(glyphs.limit, f"{brief(name, glyphs)} {short_bytes(size)}")]


def legend_lines(entries: list[tuple[str, str]], indent: int, width: int) -> list[Line]:
    """Under the bars where that fits in one line, else from the left edge."""
    groups = [[Span(f"{glyph} {name}", "quiet")] for glyph, name in entries]
    inset = flow(groups, width - indent - 1)
    return [[Span(" " * (indent + 1)), *inset[0]]] if len(inset) == 1 else flow(groups, width)


def flow(groups: list[Line], width: int) -> list[Line]:
    """Groups of spans set one after the other, three spaces apart, broken between groups."""
    lines: list[Line] = [[]]
    used = 0
    for group in groups:
        cells = sum(cell_width(span.text) for span in group)
        if used and used + 3 + cells > width:
            lines.append([])
            used = 0
        if used:
            lines[-1].append(Span("   "))
            used += 3
        lines[-1] += group
        used += cells
    return lines
