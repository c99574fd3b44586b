"""The SVG's pictures as a bitmap, at twice their size."""

from __future__ import annotations

from memfit.errors import MemfitError
from memfit.render.drawing.palette import FONT
from memfit.render.outputs._output import Output, Request
from memfit.render.outputs.svg import standalone_svg

_ZOOM = 2


def write(request: Request) -> bytes:
    """A PNG on a light page.

    Raises:
        MemfitError: the extra is not installed, or the machine has no font to write with.
        UsageError: this view has no picture.
    """
    drawn = standalone_svg(request.document(), dark=False)
    try:
        import resvg_py
    except ImportError as missing:
        raise MemfitError("drawing a PNG needs resvg", hint="pip install 'memfit[png]'") from missing
    rasterize = resvg_py.svg_to_bytes
    if bytes(rasterize(svg_string=_EMPTY.format(_LETTER))) == bytes(rasterize(svg_string=_EMPTY.format(""))):
        raise MemfitError(
            "this machine has no font to write the PNG's text with",
            hint="install one (apt-get install fonts-dejavu-core), or take the output svg",
        )
    return bytes(rasterize(svg_string=drawn, zoom=_ZOOM))


# resvg leaves out what it has no font for, in silence: a letter that leaves no trace tells
_EMPTY = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8">{}</svg>'
_LETTER = f'<text y="8" font-size="8" font-family="{FONT}">M</text>'


OUTPUT = Output(suffix=".png", write=write)
