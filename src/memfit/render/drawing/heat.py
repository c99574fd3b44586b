"""A heat map, as vectors and in characters: the figure stands in every cell, so nothing is told by shade alone."""

from __future__ import annotations

from memfit.render.document import Heat, HeatMap
from memfit.render.drawing.cells import Glyphs, Line, Span, cut
from memfit.render.drawing.scale import text_width
from memfit.render.drawing.vector import Canvas, Drawing
from memfit.render.untrusted import clean

_ROW = 20.0
_TOP = 24.0
_SMALL = 11.5
_STEPS = 5
_DARK = 0.55  # from here on text is written in the page's colour
_SHADES = " ░▒▓█"


def draw_heat_map(picture: HeatMap, width: float, key: str) -> Drawing:
    """The picture, ``width`` units wide; ``key`` is unique in its file."""
    canvas = Canvas(key)
    left = max([text_width(name, _SMALL) for name in picture.rows], default=0.0) + 10
    wide = (width - left - 4) / max(1, len(picture.columns))
    for number, name in enumerate(picture.columns):
        if text_width(name, _SMALL) <= wide or number % 2 == 0:
            canvas.text(left + wide * (number + 0.5), _TOP - 8, name, "quiet small", anchor="middle")
    for row, (name, cells) in enumerate(zip(picture.rows, picture.cells, strict=True)):
        y = _TOP + row * _ROW
        canvas.text(left - 8, y + 14, name, "ink small", anchor="end")
        for number, cell in enumerate(cells):
            if cell is not None:
                _cell(canvas, cell, left + wide * number, y, wide)
    bottom = _TOP + len(picture.rows) * _ROW
    canvas.text(left, bottom + 18, picture.key, "quiet small")
    return canvas.drawing(width, bottom + 28)


def _cell(canvas: Canvas, cell: Heat, x: float, y: float, wide: float) -> None:
    canvas.rect(
        x + 0.5, y + 0.5, wide - 1, _ROW - 1, f"heat{round(_within(cell.share) * (_STEPS - 1))}", says=cell.says
    )
    if text_width(cell.text, _SMALL) <= wide:
        kind = "on-heat small" if _within(cell.share) >= _DARK else "ink small"
        canvas.text(x + wide / 2, y + 14, cell.text, kind, anchor="middle")


def heat_cells(picture: HeatMap, width: int, glyphs: Glyphs) -> list[Line]:
    """The picture in at most ``width`` cells."""
    margin = min(max([len(name) for name in picture.rows], default=0), width // 3) + 1
    shaded = glyphs.pale == "░"
    most = max([len(cell.text) for row in picture.cells for cell in row if cell is not None], default=1)
    wide = most + (2 if shaded else 1)
    wide = max(wide, min(9, (width - margin) // max(1, len(picture.columns))))
    shown = max(1, (width - margin) // wide)
    head = "".join(cut(clean(name), wide - 1, glyphs.clip).rjust(wide) for name in picture.columns[:shown])
    lines: list[Line] = [[Span(" " * margin + head, "quiet")]]
    for name, row in zip(picture.rows, picture.cells, strict=True):
        line = [Span(cut(clean(name), margin - 1, glyphs.clip).ljust(margin))]
        for cell in row[:shown]:
            text = "" if cell is None else cell.text
            shade = " " if cell is None or not shaded else _SHADES[round(_within(cell.share) * (_STEPS - 1))]
            line += [Span(shade.rjust(wide - most)), Span(text.rjust(most))]
        lines.append(line)
    hidden = len(picture.columns) - shown
    key = picture.key + (f"; {hidden} more columns in --html" if hidden > 0 else "")
    return [*lines, [Span(cut(clean(key), width, glyphs.clip), "quiet")]]


def _within(share: float) -> float:
    return min(1.0, max(0.0, share))
