"""A curve as vectors: lines and bands over one option, against a limit."""

from __future__ import annotations

import math

from memfit.render.document import CurvePlot, Series, Tone
from memfit.render.drawing.cells import short_bytes
from memfit.render.drawing.scale import text_width, tick_text, ticks
from memfit.render.drawing.vector import Canvas, Drawing, number

_SMALL = 11.5
_LEFT = 58.0
_TOP = 16.0
_RIGHT = 16.0


class _Frame:
    """The plotting area and its two scales."""

    def __init__(self, picture: CurvePlot, width: float) -> None:
        self.width = width
        self.bottom = _TOP + min(max(width * 0.36, 190.0), 280.0)
        self.right = width - _RIGHT
        values = [size for series in picture.series for size in (*series.bytes, *series.band_high_bytes)]
        # a little air, so that neither the highest point nor the limit's label touches the frame
        self.top_bytes = max(int(max([picture.limit_bytes or 0, *values], default=1) * 1.08), 1)
        places = [self._along(picture, point.x) for point in picture.points]
        low, high = min(places, default=0.0), max(places, default=0.0)
        inner = self.right - _LEFT - 32
        self.xs = [_LEFT + 16 + (inner * (place - low) / (high - low) if high > low else inner / 2) for place in places]

    @staticmethod
    def _along(picture: CurvePlot, x: int) -> float:
        return math.log2(max(x, 1)) if picture.log_x else float(x)

    def y(self, size: int) -> float:
        """From bytes to a place."""
        return self.bottom - (self.bottom - _TOP) * size / self.top_bytes


def draw_curve_plot(picture: CurvePlot, width: float, key: str) -> Drawing:
    """The picture, ``width`` units wide; ``key`` is unique in its file."""
    canvas = Canvas(key)
    frame = _Frame(picture, width)
    _axes(canvas, picture, frame)
    for series in picture.series:
        if series.band_high_bytes and series.band_low_bytes:
            _band(canvas, frame, series)
    _limit(canvas, picture, frame)
    for series in sorted(picture.series, key=lambda series: series.leading):
        _line(canvas, picture, frame, series)
    return canvas.drawing(width, _legend(canvas, picture, frame))


def _axes(canvas: Canvas, picture: CurvePlot, frame: _Frame) -> None:
    for tick in ticks(frame.top_bytes, 6):
        canvas.line(_LEFT, frame.y(tick), frame.right, frame.y(tick), "rule")
        canvas.text(_LEFT - 8, frame.y(tick) + 4, tick_text(tick), "quiet small", anchor="end")
    taken = -math.inf
    for x, point in zip(frame.xs, picture.points, strict=True):
        half = text_width(point.label, _SMALL) / 2
        canvas.line(x, frame.bottom, x, frame.bottom + 4, "rule")
        if x - half > taken + 6:
            canvas.text(x, frame.bottom + 18, point.label, "ink small", anchor="middle")
            taken = x + half
    canvas.text((_LEFT + frame.right) / 2, frame.bottom + 36, picture.x_name, "quiet small", anchor="middle")


def _band(canvas: Canvas, frame: _Frame, series: Series) -> None:
    high = [f"{number(x)} {number(frame.y(size))}" for x, size in zip(frame.xs, series.band_high_bytes, strict=True)]
    low = [f"{number(x)} {number(frame.y(size))}" for x, size in zip(frame.xs, series.band_low_bytes, strict=True)]
    canvas.path("M" + "L".join(high + low[::-1]) + "Z", "pale", says=series.name)


def _limit(canvas: Canvas, picture: CurvePlot, frame: _Frame) -> None:
    if picture.limit_bytes is None:
        return
    y = frame.y(picture.limit_bytes)
    canvas.rect(_LEFT, _TOP, frame.right - _LEFT, y - _TOP, "beyond")
    canvas.line(_LEFT, y, frame.right, y, "limit")
    label = f"{picture.limit_name} {short_bytes(picture.limit_bytes)}"
    canvas.text(_LEFT + 8, y - 6, label, "ink small strong")


def _line(canvas: Canvas, picture: CurvePlot, frame: _Frame, series: Series) -> None:
    places = [(x, frame.y(size)) for x, size in zip(frame.xs, series.bytes, strict=True)]
    if not places:
        return
    shape = "M" + "L".join(f"{number(x)} {number(y)}" for x, y in places)
    if not series.leading:
        canvas.path(shape, "edge", says=series.name)
        return
    canvas.path(shape, "line-ink", stroke_width=2, says=series.name)
    for (x, y), point, size in zip(places, picture.points, series.bytes, strict=True):
        says = f"{point.label}: {short_bytes(size)} {point.verdict}".rstrip()
        marker(canvas, x, y, point.tone, says=says)


def marker(canvas: Canvas, x: float, y: float, tone: Tone, *, says: str = "") -> None:
    """A shape for every tone: circle, triangle, cross, so that colour is not needed."""
    a, b, r = number(x), number(y), 5.0
    if tone == "warn":
        top, foot = number(y - r - 1), number(y + r - 1)
        shape = f"M{a} {top}L{number(x + r + 1)} {foot}L{number(x - r - 1)} {foot}Z"
    elif tone == "bad":
        left, right, up, down = number(x - 4), number(x + 4), number(y - 4), number(y + 4)
        canvas.path(f"M{left} {up}L{right} {down}M{left} {down}L{right} {up}", "line-bad", stroke_width=3, says=says)
        return
    else:
        shape = f"M{number(x - r)} {b}a{r:g} {r:g} 0 1 0 {2 * r:g} 0a{r:g} {r:g} 0 1 0 {-2 * r:g} 0Z"
    canvas.path(shape, f"{'use' if tone == 'neutral' else tone} gap", says=says)


def _legend(canvas: Canvas, picture: CurvePlot, frame: _Frame) -> float:
    """Series, then the marks of the verdicts; returns where the picture ends."""
    verdicts = dict.fromkeys((point.tone, point.verdict) for point in picture.points if point.verdict)
    x, y = 0.0, frame.bottom + 52
    entries: list[tuple[str, Series | Tone]] = [(series.name, series) for series in reversed(picture.series)]
    entries += [(verdict, tone) for tone, verdict in verdicts]
    for name, sign in entries:
        needed = 28 + text_width(name, _SMALL)
        if x and x + needed > frame.width:
            x, y = 0.0, y + 20
        if not isinstance(sign, Series):
            marker(canvas, x + 9, y + 5.5, sign)
        elif sign.leading:
            canvas.path(f"M{number(x)} {number(y + 5.5)}h18", "line-ink", stroke_width=2)
        elif sign.band_high_bytes:
            canvas.rect(x, y, 18, 11, "pale")
        else:
            canvas.path(f"M{number(x)} {number(y + 5.5)}h18", "edge")
        canvas.text(x + 24, y + 9.5, name, "quiet small")
        x += needed + 12
    return y + 16
