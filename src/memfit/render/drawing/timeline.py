"""A timeline as vectors: figures over seconds on one scale, against a limit, with the moments that have a name."""

from __future__ import annotations

import math

from memfit.render.document import Timeline, Trace
from memfit.render.drawing.scale import amount_text, amount_ticks, text_width, tick_text, time_ticks
from memfit.render.drawing.vector import Canvas, Drawing, number

_SMALL = 11.5
_LEFT = 62.0
_TOP = 32.0  # names of moments stand above the plot
_RIGHT = 16.0
# strokes and gaps, so that lines differ without colour
_DASHES = ("", "7 3", "2 3", "9 3 2 3")


class _Frame:
    """The plotting area and its two scales."""

    def __init__(self, picture: Timeline, traces: list[Trace], width: float) -> None:
        self.width = width
        self.bottom = _TOP + min(max(width * 0.36, 190.0), 280.0)
        self.right = width - _RIGHT
        moments = [at_s for trace in traces for at_s in trace.at_s]
        self.start_s = min([0.0, *moments])
        self.end_s = max([*moments, *(mark.at_s for mark in picture.marks)], default=1.0)
        values = [value for trace in traces for value in trace.values]
        # a little air, so that neither the highest point nor the limit's label touches the frame
        self.top = max([picture.limit or 0.0, *values], default=1.0) * 1.08
        self.top = self.top if self.top > 0 else 1.0

    def x(self, at_s: float) -> float:
        """From a moment to a place."""
        length = self.end_s - self.start_s
        return _LEFT + (self.right - _LEFT) * ((at_s - self.start_s) / length if length > 0 else 0.0)

    def y(self, value: float) -> float:
        """From a figure to a place."""
        return self.bottom - (self.bottom - _TOP) * max(value, 0.0) / self.top


def draw_timeline(picture: Timeline, width: float, key: str) -> Drawing:
    """The picture, ``width`` units wide; ``key`` is unique in its file."""
    canvas = Canvas(key)
    traces = [trace for trace in picture.traces if trace.values]
    leading = next((trace for trace in traces if trace.leading), traces[0] if traces else None)
    others = [trace for trace in traces if trace is not leading]
    frame = _Frame(picture, traces, width)
    _axes(canvas, picture, frame)
    _limit(canvas, picture, frame)
    if leading is not None:
        shape = _shape(frame, leading)
        first, last = (number(frame.x(leading.at_s[place])) for place in (0, -1))
        canvas.path(f"{shape}L{last} {number(frame.bottom)}L{first} {number(frame.bottom)}Z", "pale")
    _marks(canvas, picture, frame)
    for index, trace in enumerate(others):
        dashes = _DASHES[index % len(_DASHES)]
        canvas.path(_shape(frame, trace), "line-use", stroke_width=1.5, dashes=dashes, says=_says(trace, picture))
    if leading is not None:
        canvas.path(_shape(frame, leading), "line-ink", stroke_width=2, says=_says(leading, picture))
    return canvas.drawing(width, _legend(canvas, picture, frame, leading, others))


def _shape(frame: _Frame, trace: Trace) -> str:
    places = zip(trace.at_s, trace.values, strict=True)
    return "M" + "L".join(f"{number(frame.x(at_s))} {number(frame.y(value))}" for at_s, value in places)


def _says(trace: Trace, picture: Timeline) -> str:
    return f"{trace.name}: at most {amount_text(max(trace.values), picture.unit)}"


def _axes(canvas: Canvas, picture: Timeline, frame: _Frame) -> None:
    for tick in amount_ticks(frame.top, 6, picture.unit):
        label = tick_text(int(tick)) if picture.unit == "bytes" else amount_text(tick, picture.unit)
        canvas.line(_LEFT, frame.y(tick), frame.right, frame.y(tick), "rule")
        canvas.text(_LEFT - 8, frame.y(tick) + 4, label, "quiet small", anchor="end")
    length = frame.end_s - frame.start_s
    for tick, label in time_ticks(length, max(int(frame.width // 90), 3)):
        x = frame.x(frame.start_s + tick)
        canvas.line(x, frame.bottom, x, frame.bottom + 4, "rule")
        canvas.text(x, frame.bottom + 18, label, "ink small", anchor="middle")


def _limit(canvas: Canvas, picture: Timeline, frame: _Frame) -> None:
    if picture.limit is None:
        return
    y = frame.y(picture.limit)
    canvas.rect(_LEFT, _TOP, frame.right - _LEFT, y - _TOP, "beyond")
    canvas.line(_LEFT, y, frame.right, y, "limit")
    canvas.text(
        _LEFT + 8, y - 6, f"{picture.limit_name} {amount_text(picture.limit, picture.unit)}", "ink small strong"
    )


def _marks(canvas: Canvas, picture: Timeline, frame: _Frame) -> None:
    """A dashed line at every moment; its name above it where there is room, and under a resting pointer anyway."""
    taken = -math.inf
    for mark in sorted(picture.marks, key=lambda mark: mark.at_s):
        x = frame.x(mark.at_s)
        canvas.path(
            f"M{number(x)} {number(_TOP)}V{number(frame.bottom)}", "join", says=f"{mark.name}: {mark.at_s:.1f} s"
        )
        half = text_width(mark.name, _SMALL) / 2
        middle = min(max(x, half), frame.width - half)
        if half <= frame.width / 4 and middle - half > taken + 6:
            canvas.text(middle, _TOP - 8, mark.name, "quiet small", anchor="middle")
            taken = middle + half


def _legend(canvas: Canvas, picture: Timeline, frame: _Frame, leading: Trace | None, others: list[Trace]) -> float:
    """Every trace with the most of it; returns where the picture ends."""
    x, y = 0.0, frame.bottom + 34
    entries = [(leading, "line-ink", "")] if leading is not None else []
    entries += [(trace, "line-use", _DASHES[index % len(_DASHES)]) for index, trace in enumerate(others)]
    for trace, kind, dashes in entries:
        says = _says(trace, picture)
        needed = 34 + text_width(says, _SMALL)
        if x and x + needed > frame.width:
            x, y = 0.0, y + 20
        thick = 2.0 if trace is leading else 1.5
        canvas.path(f"M{number(x)} {number(y + 5.5)}h24", kind, stroke_width=thick, dashes=dashes)
        canvas.text(x + 30, y + 9.5, says, "quiet small")
        x += needed + 12
    return y + 16
