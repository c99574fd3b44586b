"""A waterfall as vectors."""

from __future__ import annotations

from memfit.render.document import Step, Waterfall
from memfit.render.drawing.cells import short_bytes
from memfit.render.drawing.characters import observed_places
from memfit.render.drawing.scale import text_width, tick_text, ticks
from memfit.render.drawing.vector import Canvas, Drawing, number, shorten
from memfit.units import format_bytes

_ROW = 28.0
_BAR = 17.0
_HEAD = 26.0
_TEXT = 13.0
_SMALL = 11.5


class _Frame:
    """Where things stand: names left, bars in the middle, figures right."""

    def __init__(self, picture: Waterfall, width: float) -> None:
        steps = (*picture.steps, *picture.totals)
        # totals stand in bold, which runs about a tenth wider
        longest = max(
            (text_width(step.name, _TEXT * (1.1 if step in picture.totals else 1)) for step in steps), default=0.0
        )
        self.width = width
        self.names = min(longest, width * 0.34)
        self.left = self.names + 12
        self.right = width - 92
        reach = sum(step.high_bytes for step in picture.steps)
        ends = (*(step.high_bytes for step in picture.totals), *(place or 0 for place in observed_places(picture)))
        self.top_bytes = max([1, reach, picture.capacity_bytes or 0, *ends])

    def x(self, place: int) -> float:
        """From bytes to a place."""
        return self.left + (self.right - self.left) * place / self.top_bytes


def draw_waterfall(picture: Waterfall, width: float, key: str) -> Drawing:
    """The picture, ``width`` units wide; ``key`` is unique in its file."""
    canvas = Canvas(key)
    frame = _Frame(picture, width)
    rows = len(picture.steps) + len(picture.totals)
    bottom = _HEAD + rows * _ROW + (10 if picture.totals else 0)
    _axis(canvas, frame, bottom)
    y = _HEAD
    start = 0
    for index, step in enumerate(picture.steps):
        _row(canvas, frame, step, start, y, "use")
        start += step.high_bytes
        if index + 1 < len(picture.steps):
            canvas.line(frame.x(start), y + (_ROW + _BAR) / 2, frame.x(start), y + _ROW + (_ROW - _BAR) / 2, "join")
        y += _ROW
    if picture.totals:
        canvas.line(0, y + 5, width, y + 5, "rule")
        y += 10
    for step in picture.totals:
        _row(canvas, frame, step, 0, y, "total" if step.tone == "neutral" else step.tone, strong=True)
        y += _ROW
    _capacity(canvas, picture, frame, bottom)
    return canvas.drawing(width, _legend(canvas, picture, frame, bottom + 24))


def _axis(canvas: Canvas, frame: _Frame, bottom: float) -> None:
    for tick in ticks(frame.top_bytes, max(2, int((frame.right - frame.left) // 56))):
        canvas.line(frame.x(tick), _HEAD, frame.x(tick), bottom + 4, "rule")
        canvas.text(frame.x(tick), bottom + 17, tick_text(tick), "quiet small", anchor="middle")


def _row(canvas: Canvas, frame: _Frame, step: Step, start: int, y: float, kind: str, *, strong: bool = False) -> None:
    top = y + (_ROW - _BAR) / 2
    base = y + _ROW / 2 + 4.5
    weight = " strong" if strong else ""
    says = f"{step.name}: {short_bytes(step.likely_bytes)} likely, {short_bytes(step.high_bytes)} at most"
    kept = start + step.evictable_bytes
    likely = max(start + step.likely_bytes, kept)
    end = start + step.high_bytes
    canvas.text(0, base, shorten(step.name, frame.names, _TEXT), f"ink{weight}")
    if step.evictable_bytes:
        width = frame.x(kept) - frame.x(start)
        canvas.hatched(frame.x(start), top, width, _BAR, f"line-{kind}", says=f"{says}; evictable")
    # a bar too thin to see would say that the term takes nothing
    canvas.rect(frame.x(kept), top, max(frame.x(likely) - frame.x(kept), 1.5 * (kept < likely)), _BAR, kind, says=says)
    canvas.rect(frame.x(likely), top, frame.x(end) - frame.x(likely), _BAR, "pale", says=says)
    if step.low_bytes < step.high_bytes:
        _whisker(canvas, frame.x(start + step.low_bytes), frame.x(end), top + _BAR / 2)
    if step.observed_bytes is not None:
        seen = f"{step.name}: {short_bytes(step.observed_bytes)} observed"
        _diamond(canvas, frame.x(start + step.observed_bytes), top + _BAR / 2, says=seen)
    canvas.text(frame.width, base, format_bytes(step.high_bytes), f"ink{weight}", anchor="end")


def _whisker(canvas: Canvas, low: float, high: float, y: float) -> None:
    if high - low < 6:
        return
    for x in (low, high):
        canvas.line(x, y - 3.5, x, y + 3.5, "whisker")
    canvas.line(low, y, high, y, "whisker")


def _diamond(canvas: Canvas, x: float, y: float, *, says: str = "") -> None:
    """What was observed: a shape of its own, dark with a light edge, so that it shows on any bar."""
    r = 5.5
    shape = f"M{number(x)} {number(y - r)}l{r:g} {r:g}l{-r:g} {r:g}l{-r:g} {-r:g}Z"
    canvas.path(shape, "ink gap", says=says)


def _capacity(canvas: Canvas, picture: Waterfall, frame: _Frame, bottom: float) -> None:
    if picture.capacity_bytes is None:
        return
    x = frame.x(picture.capacity_bytes)
    label = f"{picture.capacity_name} {short_bytes(picture.capacity_bytes)}"
    half = text_width(label, _SMALL) / 2
    canvas.line(x, _HEAD - 6, x, bottom + 4, "limit")
    canvas.text(min(max(x, half), frame.width - half), _HEAD - 12, label, "ink small strong", anchor="middle")


def _legend(canvas: Canvas, picture: Waterfall, frame: _Frame, y: float) -> float:
    """Swatches for what the picture holds; returns where the picture ends."""
    steps = (*picture.steps, *picture.totals)
    entries = ["likely"]
    seen = frame.top_bytes // 400  # about a pixel
    if any(max(step.likely_bytes, step.evictable_bytes) + seen < step.high_bytes for step in steps):
        entries.append("reserved, up to high")
    if any(step.evictable_bytes for step in steps):
        entries.append("evictable: mapped from the file")
    if any(step.low_bytes + seen < step.high_bytes for step in steps):
        entries.append("low to high")
    if any(step.observed_bytes is not None for step in steps):
        entries.append("observed")
    x = 0.0
    y += 6
    for entry in entries:
        needed = 22 + text_width(entry, _SMALL)
        if x and x + needed > frame.width:
            x, y = 0.0, y + 20
        if entry.startswith("evictable"):
            canvas.hatched(x, y, 14, 11, "line-use")
        elif entry == "low to high":
            _whisker(canvas, x, x + 14, y + 5.5)
        elif entry == "observed":
            _diamond(canvas, x + 7, y + 5.5)
        else:
            canvas.rect(x, y, 14, 11, "use" if entry == "likely" else "pale")
        canvas.text(x + 20, y + 9.5, entry, "quiet small")
        x += needed + 14
    return y + 16
