"""Spots as vectors: memory across, a figure up, what a device holds as a vertical line."""

from __future__ import annotations

from memfit.render.document import Scatter, Spot
from memfit.render.drawing.cells import short_bytes
from memfit.render.drawing.curve_plot import marker
from memfit.render.drawing.scale import text_width, tick_text, ticks
from memfit.render.drawing.scatter_values import Values
from memfit.render.drawing.vector import Canvas, Drawing

_SMALL, _STRONG = 11.5, 12.5  # sizes to reckon the width of text with
_LEFT, _TOP, _RIGHT = 46.0, 24.0, 16.0
_LINE = 13.0


class _Frame:
    """The plotting area and its two scales."""

    def __init__(self, picture: Scatter, width: float) -> None:
        self.right = width - _RIGHT
        self.bottom = _TOP + min(max(width * 0.5, 240.0), 420.0)
        self.top_bytes = max(int(max([picture.limit_bytes, *(spot.bytes for spot in picture.spots)]) * 1.06), 1)
        self.values = Values(picture, bars=True, room=1.05)

    def x(self, size: int) -> float:
        """From bytes to a place."""
        return _LEFT + (self.right - _LEFT) * size / self.top_bytes

    def y(self, value: float) -> float:
        """From a figure to a place."""
        return self.bottom - (self.bottom - _TOP) * self.values.share(value)


def draw_scatter(picture: Scatter, width: float, key: str) -> Drawing:
    """The picture, ``width`` units wide; ``key`` is unique in its file."""
    canvas = Canvas(key)
    frame = _Frame(picture, width)
    _axes(canvas, picture, frame)
    for spot in picture.spots:
        x = frame.x(spot.bytes)
        canvas.line(x, frame.y(spot.low), x, frame.y(spot.high), "rule")
    for spot in picture.spots:
        says = f"{spot.name}: {short_bytes(spot.bytes)}, {spot.value:g} ({spot.low:g} to {spot.high:g})"
        marker(canvas, frame.x(spot.bytes), frame.y(spot.value), spot.tone, says=says)
    _names(canvas, picture, frame)
    return canvas.drawing(width, frame.bottom + 44)


def _axes(canvas: Canvas, picture: Scatter, frame: _Frame) -> None:
    for value in frame.values.ticks(6):
        canvas.line(_LEFT, frame.y(value), frame.right, frame.y(value), "rule")
        canvas.text(_LEFT - 8, frame.y(value) + 4, f"{value:g}", "quiet small", anchor="end")
    canvas.text(0, _TOP - 10, picture.value_name, "quiet small")
    label = f"{picture.limit_name} {short_bytes(picture.limit_bytes)}"
    for size in ticks(frame.top_bytes, 8):
        canvas.line(frame.x(size), frame.bottom, frame.x(size), frame.bottom + 4, "rule")
        canvas.text(frame.x(size), frame.bottom + 18, tick_text(size), "ink small", anchor="middle")
    canvas.text((_LEFT + frame.right) / 2, frame.bottom + 36, picture.bytes_name, "quiet small", anchor="middle")
    limit, wide = frame.x(picture.limit_bytes), text_width(label, _STRONG)
    canvas.rect(limit, _TOP, frame.right - limit, frame.bottom - _TOP, "beyond")
    canvas.line(limit, _TOP, limit, frame.bottom, "limit")
    # above the line, and above all spots; beside what the figure is called
    start = max(text_width(picture.value_name, _SMALL) + 16, min(limit - wide / 2, frame.right + _RIGHT - wide))
    canvas.text(start, _TOP - 10, label, "ink small strong")


def _names(canvas: Canvas, picture: Scatter, frame: _Frame) -> None:
    """As many names as there is room for, best first; the others are told where one points at their spot."""
    taken = [(frame.x(spot.bytes) - 6, frame.y(spot.value) - 6, 12.0, 12.0) for spot in picture.spots]
    taken.append((frame.x(picture.limit_bytes) - 1, _TOP, 2.0, frame.bottom - _TOP))
    for spot in picture.spots:
        place = _free_place(spot, frame, taken)
        if place is not None:
            x, y, wide = place
            canvas.text(x, y + 10, spot.name, "ink small")
            taken.append((x, y, wide, _LINE))


def _free_place(
    spot: Spot, frame: _Frame, taken: list[tuple[float, float, float, float]]
) -> tuple[float, float, float] | None:
    wide = text_width(spot.name, _SMALL)
    x, y = frame.x(spot.bytes), frame.y(spot.value)
    beside = ((x + 9, y - 7), (x - wide - 9, y - 7), (x - wide / 2, y - 22), (x - wide / 2, y + 9))
    aslant = ((x + 7, y - 17), (x - wide - 7, y - 17), (x + 7, y + 4), (x - wide - 7, y + 4))
    for left, top in beside + aslant:
        inside = left >= _LEFT and left + wide <= frame.right and top >= _TOP and top + _LINE <= frame.bottom
        if inside and not any(
            left < other_x + other_wide and other_x < left + wide and top < other_y + high and other_y < top + _LINE
            for other_x, other_y, other_wide, high in taken
        ):
            return left, top, wide
    return None
