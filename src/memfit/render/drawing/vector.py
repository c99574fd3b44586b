"""SVG elements, written one by one: numbers rounded, every text escaped."""

from __future__ import annotations

from typing import Literal, NamedTuple

from memfit.render.drawing.scale import text_width
from memfit.render.untrusted import clean, clip, escape

Anchor = Literal["start", "middle", "end"]


class Drawing(NamedTuple):
    """A finished picture: its size in user units and the elements inside it."""

    width: float
    height: float
    body: str


class Canvas:
    """Collects elements. ``key`` makes the ids in one file different from those of other pictures there."""

    def __init__(self, key: str) -> None:
        self.key = key
        self._parts: list[str] = []

    def rect(self, x: float, y: float, width: float, height: float, kind: str, *, says: str = "") -> None:
        """A rectangle of a CSS class; ``says`` appears under a resting pointer."""
        if width <= 0:
            return
        shape = (
            f'<rect class="{kind}" x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
        )
        self._parts.append(shape + (f"><title>{escape(clean(says))}</title></rect>" if says else "/>"))

    def hatched(self, x: float, y: float, width: float, height: float, line: str, *, says: str = "") -> None:
        """A rectangle with diagonal lines of the class ``line``."""
        name = f"{self.key}-{line}"
        pattern = (
            f'<pattern id="{name}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
            f'<path class="{line}" stroke-width="2.4" d="M0 0V6"/></pattern>'
        )
        if pattern not in self._parts:
            self._parts.append(pattern)
        self.rect(x, y, width, height, "hatched")
        if width > 0:
            self._parts.append(
                f'<rect fill="url(#{name})" x="{number(x)}" y="{number(y)}" width="{number(width)}" '
                f'height="{number(height)}">' + (f"<title>{escape(clean(says))}</title></rect>" if says else "</rect>")
            )

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        """A straight line."""
        self._parts.append(
            f'<line class="{kind}" x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}"/>'
        )

    def path(
        self, shape: str, kind: str, *, stroke_width: float | None = None, dashes: str = "", says: str = ""
    ) -> None:
        """A path of already rounded numbers; ``dashes`` are lengths of strokes and gaps in turn."""
        thick = "" if stroke_width is None else f' stroke-width="{number(stroke_width)}"'
        thick += f' stroke-dasharray="{dashes}"' if dashes else ""
        start = f'<path class="{kind}"{thick} d="{shape}"'
        self._parts.append(start + (f"><title>{escape(clean(says))}</title></path>" if says else "/>"))

    def text(self, x: float, y: float, text: str, kind: str = "ink", *, anchor: Anchor = "start") -> None:
        """One line of text on the baseline ``y``."""
        place = "" if anchor == "start" else f' text-anchor="{anchor}"'
        self._parts.append(f'<text class="{kind}" x="{number(x)}" y="{number(y)}"{place}>{escape(clean(text))}</text>')

    def drawing(self, width: float, height: float) -> Drawing:
        """What was drawn."""
        return Drawing(width, height, "\n".join(self._parts))


def number(value: float) -> str:
    """At most two digits after the point, none that say nothing."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def shorten(text: str, room: float, size: float) -> str:
    """The text, its middle cut until it takes no more than ``room``."""
    text = clean(text)
    longest = len(text)
    while longest > 3 and text_width(clip(text, longest), size) > room:
        longest -= 1 + longest // 20
    return clip(text, longest)
