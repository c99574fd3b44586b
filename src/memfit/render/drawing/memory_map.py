"""A memory map as vectors: one stacked bar and its key."""

from __future__ import annotations

from memfit.render.document import MemoryMap, Segment
from memfit.render.drawing.cells import short_bytes
from memfit.render.drawing.palette import SEGMENTS, SYSTEMS
from memfit.render.drawing.scale import text_width
from memfit.render.drawing.vector import Canvas, Drawing, shorten

_HEAD = 24.0
_BAR = 44.0
_TEXT = 13.0
_SMALL = 11.5
_BOLD = 1.15  # bold letters are that much wider
_KEY_ROW = 22.0
_GUTTER = 24.0


def draw_memory_map(picture: MemoryMap, width: float, key: str) -> Drawing:
    """The picture, ``width`` units wide; ``key`` is unique in its file."""
    canvas = Canvas(key)
    used = sum(segment.bytes for segment in picture.segments)
    whole = max(used, picture.total_bytes, 1)
    x = 0.5
    scale = (width - 1) / whole
    for segment, kind, text_kind in _kinds(picture.segments):
        span = segment.bytes * scale
        says = f"{segment.name}: {short_bytes(segment.bytes)}"
        canvas.rect(x, _HEAD, span, _BAR, kind + (" gap" if segment.role != "free" else ""), says=says)
        _inside(canvas, segment, x, span, text_kind)
        x += span
    _total(canvas, picture, width, scale, used)
    return canvas.drawing(width, _key(canvas, picture, width, whole))


def _kinds(segments: tuple[Segment, ...]) -> list[tuple[Segment, str, str]]:
    """Each segment with the class of its area and of text upon it."""
    kinds = []
    in_use = of_system = 0
    for segment in segments:
        if segment.role == "use":
            kinds.append((segment, f"segment{in_use % SEGMENTS}", f"on{in_use % SEGMENTS}"))
            in_use += 1
        elif segment.role == "system":
            kinds.append((segment, f"system{of_system % SYSTEMS}", "ink"))
            of_system += 1
        else:
            kinds.append((segment, segment.role, "ink"))
    return kinds


def _inside(canvas: Canvas, segment: Segment, x: float, span: float, kind: str) -> None:
    """Name and size inside the area where both fit whole."""
    size = short_bytes(segment.bytes)
    if max(text_width(segment.name, _TEXT), text_width(size, _SMALL)) + 12 <= span:
        canvas.text(x + 7, _HEAD + 19, segment.name, f"{kind} strong")
        canvas.text(x + 7, _HEAD + 35, size, f"{kind} small")


def _total(canvas: Canvas, picture: MemoryMap, width: float, scale: float, used: int) -> None:
    label = f"{picture.total_name} {short_bytes(picture.total_bytes)}"
    over = used - picture.total_bytes
    if over <= 0:
        canvas.text(width, _HEAD - 9, label, "ink small strong", anchor="end")
        return
    x = picture.total_bytes * scale
    canvas.line(x, _HEAD - 6, x, _HEAD + _BAR + 6, "limit")
    canvas.text(max(x - 6, text_width(label, _SMALL) * _BOLD), _HEAD - 11, label, "ink small strong", anchor="end")
    canvas.line(x, _HEAD + _BAR + 4, width, _HEAD + _BAR + 4, "over")
    canvas.text(width, _HEAD + _BAR + 19, f"{short_bytes(over)} too much", "bad small strong", anchor="end")


def _key(canvas: Canvas, picture: MemoryMap, width: float, whole: int) -> float:
    """Every segment with its size and share, in columns; returns where the picture ends."""
    columns = max(1, int(width // 240))
    column = (width + _GUTTER) / columns
    start = _HEAD + _BAR + (30 if sum(segment.bytes for segment in picture.segments) > picture.total_bytes else 14)
    rows = -(-len(picture.segments) // columns)
    for index, (segment, kind, _) in enumerate(_kinds(picture.segments)):
        x = (index // rows) * column
        y = start + (index % rows) * _KEY_ROW
        figures = f"{short_bytes(segment.bytes)} · {_share(segment.bytes, whole)}"
        room = column - _GUTTER - 24 - text_width(figures, _SMALL)
        canvas.rect(x + 0.5, y + 0.5, 13, 13, kind)
        canvas.text(x + 20, y + 11.5, shorten(segment.name, room, _TEXT))
        canvas.text(x + column - _GUTTER, y + 11.5, figures, "quiet small", anchor="end")
    return start + rows * _KEY_ROW


def _share(part: int, whole: int) -> str:
    percent = round(100 * part / whole)
    return f"{percent} %" if percent or not part else "<1 %"
