"""Pictures in characters, for terminals and Markdown: lines of spans, each with the name of a style.

Nothing is told by colour alone: shares have their own character, verdicts their own mark, segments their own letter.
"""

from __future__ import annotations

import string

from memfit.render.document import CurvePlot, HeatMap, MemoryMap, Picture, Scatter, Step, Timeline, Waterfall
from memfit.render.drawing.cells import (
    LONGEST_LEGEND,
    VALUE_CELLS,
    Glyphs,
    Line,
    Span,
    brief,
    cut,
    fit,
    flow,
    label_width,
    legend_lines,
    limit_entry,
    short_bytes,
)
from memfit.render.drawing.heat import heat_cells
from memfit.render.drawing.scale import apportion
from memfit.render.drawing.scatter_cells import scatter_cells
from memfit.render.drawing.timeline_cells import timeline_cells
from memfit.render.untrusted import clean
from memfit.units import format_bytes


def draw(picture: Picture, width: int, glyphs: Glyphs) -> list[Line]:
    """A picture in at most ``width`` cells (40 or more)."""
    if isinstance(picture, Waterfall):
        return _waterfall(picture, width, glyphs)
    if isinstance(picture, MemoryMap):
        return _memory_map(picture, width, glyphs)
    if isinstance(picture, Timeline):
        return timeline_cells(picture, width, glyphs)
    if isinstance(picture, Scatter):
        return scatter_cells(picture, width, glyphs)
    if isinstance(picture, HeatMap):
        return heat_cells(picture, width, glyphs)
    return _curve(picture, width, glyphs)


class _Bar:
    """One row of cells over a scale in bytes."""

    def __init__(self, cells: int, top_bytes: int, glyphs: Glyphs) -> None:
        self._glyphs = glyphs
        self._top = max(top_bytes, 1)
        self._cells = [Span(" ")] * cells

    def fill(self, start: int, end: int, glyph: str, style: str) -> None:
        """Whole cells from ``start`` to ``end`` bytes; what is not zero takes at least one."""
        if end <= start:
            return
        count = len(self._cells)
        first = min(int(start * count / self._top), count - 1)
        last = min(max(round(end * count / self._top), first + 1), count)
        self._cells[first:last] = [Span(glyph, style)] * (last - first)

    def fill_to_the_eighth(self, start: int, end: int, style: str) -> None:
        """As ``fill`` with solid blocks, the last one cut to an eighth of a cell where the glyphs allow."""
        if end <= start:
            return
        self.fill(start, end, self._glyphs.solid, style)
        cell, eighths = divmod(round(end * len(self._cells) * 8 / self._top), 8)
        if self._glyphs.eighths and cell < len(self._cells) and (eighths or end * len(self._cells) < self._top):
            self._cells[cell] = Span(self._glyphs.eighths[max(eighths, 1) - 1], style)

    def mark(self, place: int, style: str, glyph: str = "") -> None:
        """A limit, or another sign in one cell."""
        index = min(int(place * len(self._cells) / self._top), len(self._cells) - 1)
        self._cells[index] = Span(glyph or self._glyphs.limit, style)

    def spans(self) -> Line:
        """The row, neighbours of one style joined."""
        merged: Line = []
        for cell in self._cells:
            if merged and merged[-1].style == cell.style:
                merged[-1] = Span(merged[-1].text + cell.text, cell.style)
            else:
                merged.append(cell)
        return merged


def _waterfall(picture: Waterfall, width: int, glyphs: Glyphs) -> list[Line]:
    steps = (*picture.steps, *picture.totals)
    label_cells = label_width([step.name for step in steps])
    bar_cells = max(width - label_cells - VALUE_CELLS - 2, 8)
    reach = sum(step.high_bytes for step in picture.steps)
    seen = [place for place in observed_places(picture) if place is not None]
    top = max([reach, picture.capacity_bytes or 0, *(step.high_bytes for step in picture.totals), *seen])

    def row(step: Step, start: int, style: str) -> Line:
        bar = _Bar(bar_cells, top, glyphs)
        _fill_step(bar, step, start, style, glyphs)
        if picture.capacity_bytes is not None:
            bar.mark(picture.capacity_bytes, "limit")
        if step.observed_bytes is not None:
            bar.mark(start + step.observed_bytes, "limit", glyphs.seen)
        value = Span(format_bytes(step.high_bytes).rjust(VALUE_CELLS))
        return [Span(fit(clean(step.name), label_cells, glyphs.clip) + " "), *bar.spans(), value]

    lines: list[Line] = []
    start = 0
    for step in picture.steps:
        lines.append(row(step, start, "use"))
        start += step.high_bytes
    lines += [row(step, 0, "total" if step.tone == "neutral" else step.tone) for step in picture.totals]
    legend = [(glyphs.solid, "likely")]
    if any(step.likely_bytes < step.high_bytes for step in steps):
        legend.append((glyphs.pale, "up to high"))
    if any(step.evictable_bytes for step in steps):
        legend.append((glyphs.evictable, "evictable"))
    if seen:
        legend.append((glyphs.seen, "observed"))
    legend += limit_entry(picture.capacity_name, picture.capacity_bytes, glyphs)
    return [*lines, *legend_lines(legend, label_cells, width)]


def observed_places(picture: Waterfall) -> list[int | None]:
    """Where each step and total was observed to end, on the picture's scale; None where it was not observed."""
    places: list[int | None] = []
    start = 0
    for step in picture.steps:
        places.append(None if step.observed_bytes is None else start + step.observed_bytes)
        start += step.high_bytes
    return places + [step.observed_bytes for step in picture.totals]


def _fill_step(bar: _Bar, step: Step, start: int, style: str, glyphs: Glyphs) -> None:
    """Evictable, then what is likely, then what is only reserved."""
    kept = start + step.evictable_bytes
    likely = max(start + step.likely_bytes, kept)
    end = start + step.high_bytes
    if likely < end:
        bar.fill(likely, end, glyphs.pale, style)
        if kept < likely:
            bar.fill(kept, likely, glyphs.solid, style)
    elif kept < likely:
        # nothing follows, so that a cut block leaves no gap
        bar.fill_to_the_eighth(kept, likely, style)
    if step.evictable_bytes:
        bar.fill(start, kept, glyphs.evictable, style)


def _memory_map(picture: MemoryMap, width: int, glyphs: Glyphs) -> list[Line]:
    sizes = tuple(segment.bytes for segment in picture.segments)
    bar: Line = []
    keys: list[Line] = []
    in_use = 0
    for index, (segment, count) in enumerate(zip(picture.segments, apportion(sizes, width), strict=True)):
        letter = string.ascii_uppercase[index % 26]
        fill, style = {"system": glyphs.pale, "free": glyphs.free}.get(segment.role, ""), str(segment.role)
        key_style = style
        if segment.role == "use":
            # neighbours differ in character as well as in colour
            fill, style = (glyphs.solid, glyphs.evictable)[in_use % 2], f"segment{in_use % 6}"
            key_style = f"key{in_use % 6}"
            in_use += 1
        if count:
            bar += [Span(letter, key_style), Span(fill * (count - 1), style)]
        name = brief(segment.name, glyphs)
        keys.append([Span(letter, key_style), Span(f" {name} "), Span(short_bytes(segment.bytes), "quiet")])
    keys.append([Span(f"= {brief(picture.total_name, glyphs)} {short_bytes(picture.total_bytes)}")])
    if (over := sum(sizes) - picture.total_bytes) > 0:
        keys.append([Span(f"{short_bytes(over)} too much", "bad")])
    return [bar, *flow(keys, width)]


def _curve(picture: CurvePlot, width: int, glyphs: Glyphs) -> list[Line]:
    """The leading series as one bar for every point: exact, and legible where a plot of dots is not."""
    if not picture.points or not picture.series:
        return []
    leading = next((series for series in picture.series if series.leading), picture.series[0])
    label_cells = label_width([point.label for point in picture.points])
    marks = {"ok": glyphs.ok, "warn": glyphs.warn, "bad": glyphs.bad, "neutral": " "}
    bar_cells = max(width - label_cells - VALUE_CELLS - 4, 8)
    top = max([*leading.bytes, picture.limit_bytes or 0])
    lines: list[Line] = []
    for point, size in zip(picture.points, leading.bytes, strict=True):
        bar = _Bar(bar_cells, top, glyphs)
        bar.fill_to_the_eighth(0, size, "use" if point.tone == "neutral" else point.tone)
        if picture.limit_bytes is not None:
            bar.mark(picture.limit_bytes, "limit")
        label = fit(clean(point.label), label_cells, glyphs.clip, right=True)
        value = Span(short_bytes(size).rjust(VALUE_CELLS))
        lines.append([Span(label + " "), *bar.spans(), value, Span(f" {marks[point.tone]}", point.tone)])
    legend = [
        (glyphs.solid, cut(clean(leading.name), LONGEST_LEGEND, glyphs.clip)),
        *limit_entry(picture.limit_name, picture.limit_bytes, glyphs),
    ]
    head = [Span(cut(clean(picture.x_name), width, glyphs.clip), "quiet")]
    return [head, *lines, *legend_lines(legend, label_cells, width)]
