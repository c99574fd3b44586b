"""The pictures of a document under its headline: one standalone SVG that follows the reader's light or dark theme."""

from __future__ import annotations

from memfit.errors import UsageError
from memfit.render.document import Document, Headline
from memfit.render.drawing.palette import DARK, LIGHT, TEXT_CSS, picture_css
from memfit.render.drawing.scale import text_width
from memfit.render.drawing.svg import draw_vector
from memfit.render.drawing.vector import number, shorten
from memfit.render.outputs._output import Output, Request
from memfit.render.untrusted import clean, escape

_WIDTH = 800.0
_MARGIN = 24.0
_GAP, _LINE = 9.0, 20.0
_WIDER = 1.12  # DejaVu Sans, in bold too, beside the font that ``text_width`` knows
_MARKS = {"ok": "✓ ", "warn": "! ", "bad": "✗ ", "neutral": ""}


def write(request: Request) -> str:
    """The pictures for light and dark pages.

    Raises:
        UsageError: this view has no picture.
    """
    return standalone_svg(request.document(), dark=True)


def standalone_svg(document: Document, *, dark: bool) -> str:
    """One SVG of all pictures; ``dark`` adds the rules for dark pages.

    Raises:
        UsageError: the document has no picture.
    """
    pictures = document.pictures()
    if not pictures:
        raise UsageError(
            "this view has no picture", hint="--html or --markdown has its tables, without --svg and --png"
        )
    inner = _WIDTH - 2 * _MARGIN
    parts: list[str] = []
    y = _MARGIN + 14
    parts.append(_text(y, shorten(document.title, inner, 17), "ink head"))
    headline = next((block for block in document.blocks if isinstance(block, Headline)), None)
    if headline is not None:
        lines = _headline(headline, y + 26, inner)
        y += 26 + (len(lines) - 1) * _LINE
        parts += lines
    y += 18
    for index, picture in enumerate(pictures):
        drawing = draw_vector(picture, inner, f"p{index}")
        y += 22
        if len(pictures) > 1 or clean(picture.title) != clean(document.title):
            parts.append(_text(y, shorten(picture.title, inner, 15), "ink title"))
            y += 14
        parts.append(f'<g transform="translate({number(_MARGIN)} {number(y)})">\n{drawing.body}\n</g>')
        y += drawing.height + 10
    style = f"{TEXT_CSS}\n.head{{font-size:17px;font-weight:700}}\n{picture_css(LIGHT)}"
    if dark:
        style += f"\n@media (prefers-color-scheme:dark){{\n{picture_css(DARK)}\n}}"
    height = y + _MARGIN - 10
    says = " ".join(escape(clean(picture.description)) for picture in pictures)
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{number(_WIDTH)}" height="{number(height)}" '
        f'viewBox="0 0 {number(_WIDTH)} {number(height)}" role="img" aria-labelledby="title desc">\n'
        f'<title id="title">{escape(clean(document.title))}</title>\n<desc id="desc">{says}</desc>\n'
        f"<style>\n{style}\n</style>\n"
        f'<rect class="page" width="100%" height="100%"/>\n{body}\n</svg>\n'
    )


def _headline(headline: Headline, y: float, room: float) -> list[str]:
    """Verdict and sentence in one line, or each in its own where the widest font would not take them."""
    room /= _WIDER
    verdict = shorten(_MARKS[headline.tone] + headline.verdict, room, 15)
    kind = "ink" if headline.tone == "neutral" else headline.tone
    first = f'<tspan class="{kind} title">{escape(verdict)}</tspan>'
    if text_width(verdict, 15) + _GAP + text_width(clean(headline.sentence), 13) <= room:
        # one text of two spans: only the reader's font knows where the first one ends
        first += f'<tspan class="ink" dx="{number(_GAP)}">{escape(clean(headline.sentence))}</tspan>'
        return [f'<text x="{number(_MARGIN)}" y="{number(y)}">{first}</text>']
    return [
        f'<text x="{number(_MARGIN)}" y="{number(y)}">{first}</text>',
        _text(y + _LINE, shorten(headline.sentence, room, 13), "ink"),
    ]


def _text(y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{number(_MARGIN)}" y="{number(y)}">{escape(text)}</text>'


OUTPUT = Output(suffix=".svg", write=write)
