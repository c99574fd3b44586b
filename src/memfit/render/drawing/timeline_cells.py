"""A timeline in characters: the leading trace as an area, every other one as a line of its own under it."""

from __future__ import annotations

import string
from collections.abc import Sequence

from memfit.render.document import Mark, Timeline, Trace
from memfit.render.drawing.cells import (
    LONGEST_LEGEND,
    VALUE_CELLS,
    Glyphs,
    Line,
    Span,
    cut,
    fit,
    flow,
    label_width,
)
from memfit.render.drawing.scale import amount_text, time_text
from memfit.render.untrusted import clean

_ROWS = 8
_LEAST_CELLS = 12


class _Axis:
    """Columns of cells over time."""

    def __init__(self, traces: Sequence[Trace], marks: Sequence[Mark], cells: int) -> None:
        moments = [at_s for trace in traces for at_s in trace.at_s]
        self.cells = cells
        self.start_s = min([0.0, *moments])
        self.end_s = max([*moments, *(mark.at_s for mark in marks)])

    def place(self, at_s: float) -> int:
        """The column of a moment."""
        length = self.end_s - self.start_s
        return min(max(int((at_s - self.start_s) / length * self.cells), 0), self.cells - 1) if length > 0 else 0

    def columns(self, trace: Trace) -> list[float | None]:
        """The most in each column; one without a figure shows the one before it, None before the first."""
        found: list[float | None] = [None] * self.cells
        for at_s, value in zip(trace.at_s, trace.values, strict=True):
            place = self.place(at_s)
            before = found[place]
            found[place] = value if before is None else max(before, value)
        last = self.place(trace.at_s[-1]) if trace.at_s else -1
        held: float | None = None
        for place, figure in enumerate(found):
            held = held if figure is None else figure
            found[place] = held if place <= last else None
        return found


def timeline_cells(picture: Timeline, width: int, glyphs: Glyphs) -> list[Line]:
    """The picture in at most ``width`` cells (40 or more); nothing where no trace has a figure."""
    traces = [trace for trace in picture.traces if trace.values]
    return _Chart(picture, traces, width, glyphs).lines() if traces else []


class _Chart:
    """Rows of three parts: a name, cells over time, and the most there was."""

    def __init__(self, picture: Timeline, traces: list[Trace], width: int, glyphs: Glyphs) -> None:
        self._picture = picture
        self._glyphs = glyphs
        self._width = width
        self._leading = next((trace for trace in traces if trace.leading), traces[0])
        self._others = [trace for trace in traces if trace is not self._leading]
        limit = picture.limit
        names = [trace.name for trace in traces] + ([] if limit is None else [picture.limit_name])
        amounts = [self._most(trace) for trace in traces] + ([] if limit is None else [self._amount(limit)])
        self._value_cells = max(VALUE_CELLS, *(len(amount) + 1 for amount in amounts))
        room = width - self._value_cells - 1
        self._label_cells = min(label_width(names), room - _LEAST_CELLS)
        self._axis = _Axis(traces, picture.marks, room - self._label_cells)
        top = max([*(max(trace.values) for trace in traces), limit or 0.0])
        self._top = top if top > 0 else 1.0

    def lines(self) -> list[Line]:
        """All of it, from the top down."""
        rows = self._area()
        for trace in self._others:
            levels = "".join(self._level(figure) for figure in self._axis.columns(trace))
            rows.append(self._row(trace.name, [Span(levels, "quiet")], self._most(trace)))
        return [*rows, self._time(), *self._legend()]

    def _area(self) -> list[Line]:
        """The limit is a line through it, with its name and size beside it."""
        picture, leading = self._picture, self._leading
        scale = _ROWS / self._top
        eighths = [0 if figure is None else round(figure * scale * 8) for figure in self._axis.columns(leading)]
        limit_row = None if picture.limit is None else min(int(picture.limit * scale), _ROWS - 1)
        peak_row = max(max(eighths) - 1, 0) // 8
        if peak_row == limit_row:
            peak_row += -1 if peak_row else 1
        rows: list[Line] = []
        for row in reversed(range(_ROWS)):
            empty = Span(self._glyphs.rule, "limit") if row == limit_row else Span(" ")
            heights = [min(max(height - row * 8, 0), 8) for height in eighths]
            cells = [Span(self._glyphs.levels[height - 1], "use") if height else empty for height in heights]
            name, amount = "", ""
            if row == limit_row and picture.limit is not None:
                name, amount = picture.limit_name, self._amount(picture.limit)
            elif row == peak_row:
                name, amount = leading.name, self._most(leading)
            rows.append(self._row(name, _joined(cells), amount))
        return rows

    def _time(self) -> Line:
        """A rule with a letter at every moment that has a name."""
        cells = [self._glyphs.rule] * self._axis.cells
        for letter, mark in self._lettered():
            cells[self._axis.place(mark.at_s)] = letter
        return self._row("", [Span("".join(cells), "quiet")], time_text(self._axis.end_s))

    def _legend(self) -> list[Line]:
        groups: list[Line] = []
        for letter, mark in self._lettered():
            name = cut(clean(mark.name), LONGEST_LEGEND, self._glyphs.clip)
            groups.append([Span(letter), Span(f" {name} {time_text(mark.at_s)}".replace("  ", " "), "quiet")])
        return flow(groups, self._width) if groups else []

    def _lettered(self) -> list[tuple[str, Mark]]:
        """Moments that have a place of their own, the first of each; 26 at most."""
        taken: dict[int, Mark] = {}
        for mark in sorted(self._picture.marks, key=lambda mark: mark.at_s):
            taken.setdefault(self._axis.place(mark.at_s), mark)
        return list(zip(string.ascii_lowercase, taken.values(), strict=False))

    def _row(self, name: str, cells: Line, amount: str) -> Line:
        label = fit(clean(name), self._label_cells, self._glyphs.clip, right=True)
        return [Span(f"{label} "), *cells, Span(amount.rjust(self._value_cells))]

    def _level(self, figure: float | None) -> str:
        if figure is None or figure <= 0:
            return " "
        return self._glyphs.levels[min(max(round(figure / self._top * 8), 1), 8) - 1]

    def _most(self, trace: Trace) -> str:
        return self._amount(max(trace.values))

    def _amount(self, amount: float) -> str:
        return amount_text(amount, self._picture.unit)


def _joined(cells: Line) -> Line:
    """Neighbours of one style as one span."""
    merged: Line = []
    for cell in cells:
        if merged and merged[-1].style == cell.style:
            merged[-1] = Span(merged[-1].text + cell.text, cell.style)
        else:
            merged.append(cell)
    return merged
