"""Spots in characters: a letter at each one's place, and what the letters stand for."""

from __future__ import annotations

import string

from memfit.render.document import Scatter
from memfit.render.drawing.cells import Glyphs, Line, Span, cut, flow, short_bytes
from memfit.render.drawing.scale import tick_text, ticks
from memfit.render.drawing.scatter_values import Values
from memfit.render.untrusted import clean

_ROWS = 14
_LABEL_CELLS = 6
_LETTERS = string.ascii_uppercase + string.ascii_lowercase


def scatter_cells(picture: Scatter, width: int, glyphs: Glyphs) -> list[Line]:
    """The picture in at most ``width`` cells."""
    if not picture.spots:
        return []
    top_bytes = max([picture.limit_bytes, *(spot.bytes for spot in picture.spots)]) * 1.03
    values = Values(picture, bars=False, room=1.03)
    left = {_row(values, value): f"{value:g}" for value in values.ticks(5)}
    margin = max(_LABEL_CELLS, *(len(label) + 1 for label in left.values()))  # 0.0015 is longer than 150
    cells = max(width - margin, 20)
    grid: list[list[Span]] = [[Span(" ") for _ in range(cells)] for _ in range(_ROWS)]
    limit = min(int(picture.limit_bytes / top_bytes * cells), cells - 1)
    for cells_of_row in grid:
        cells_of_row[limit] = Span(glyphs.limit, "limit")
    keys: list[Line] = []
    # the first spots are the best: where two share a place, theirs is the letter
    for letter, spot in reversed(list(zip(_LETTERS, picture.spots, strict=False))):
        grid[_row(values, spot.value)][min(int(spot.bytes / top_bytes * cells), cells - 1)] = Span(letter, spot.tone)
        keys.append([Span(f"{letter} ", spot.tone), Span(clean(spot.name))])
    lines: list[Line] = [[Span(cut(clean(picture.value_name), width, glyphs.clip), "quiet")]]
    lines += [[Span(left.get(number, "").rjust(margin - 1) + " "), *row] for number, row in enumerate(grid)]
    lines.append(_scale(top_bytes, cells, margin))
    name = f"{picture.limit_name} {short_bytes(picture.limit_bytes)}"
    return [*lines, [Span(f"{glyphs.limit} {clean(name)}", "quiet")], *flow(keys[::-1], width)]


def _row(values: Values, value: float) -> int:
    return max(0, min(_ROWS - 1, int((1 - values.share(value)) * _ROWS)))


def _scale(top_bytes: float, cells: int, margin: int) -> Line:
    text = " " * margin
    for size in ticks(int(top_bytes), 6):
        place = margin + int(size / top_bytes * cells)
        label = tick_text(size)
        if place >= len(text) and place + len(label) <= margin + cells:
            text = text.ljust(place) + label + " "
    return [Span(text.rstrip(), "quiet")]
