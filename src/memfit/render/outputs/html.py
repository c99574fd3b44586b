"""One self-contained page for light, dark, narrow and paper: all inline, no scripts, nothing fetched."""

from __future__ import annotations

from memfit.render import document as doc
from memfit.render.drawing.svg import draw_vector
from memfit.render.drawing.vector import number
from memfit.render.outputs._output import Output, Request, cell_text
from memfit.render.outputs._page_style import STYLE
from memfit.render.untrusted import clean, escape, whole

_MARKS = {"ok": "✓", "warn": "!", "bad": "✗", "neutral": ""}
_WIDE, _NARROW = 760.0, 340.0
_LONGEST_TITLE = 160
_BRIEF = 28  # letters that still stand on one line of a cell


def write(request: Request) -> str:
    """The whole page."""
    document = request.document()
    title = escape(clean(document.title, longest=_LONGEST_TITLE))
    page = _Page()
    blocks = "\n".join(page.block(block) for block in document.blocks)
    # the policy is a second lock: even a tag that escaped escaping could load and run nothing
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{STYLE}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{blocks}
</main>
</body>
</html>
"""


class _Page:
    """Writes blocks; counts pictures and tables, whose ids must differ."""

    def __init__(self) -> None:
        self._count = 0

    def block(self, block: doc.Block) -> str:
        """One block as HTML."""
        match block:
            case doc.Headline():
                return _headline(block)
            case doc.Facts():
                items = "\n".join(f"<div><dt>{_text(i.name)}</dt><dd>{_text(i.value)}</dd></div>" for i in block.items)
                return f'<dl class="facts">\n{items}\n</dl>'
            case doc.Table():
                return self._table(block)
            case doc.Bullets():
                return _bullets(block)
            case doc.Note():
                return f'<p class="note">{_text(block.text)}</p>'
            case doc.Command():
                purpose = f'<p class="note">{_text(block.purpose)}</p>\n' if block.purpose else ""
                return f'{purpose}<pre class="command" tabindex="0"><code>{escape(whole(block.line))}</code></pre>'
            case doc.Lines():
                title = f"<h2>{_text(block.title)}</h2>\n" if block.title else ""
                return f'<section>\n{title}<pre class="lines" tabindex="0">{_lines(block)}</pre>\n</section>'
            case doc.Details():
                inner = "\n".join(self.block(inner) for inner in block.blocks)
                return f"<details>\n<summary>{_text(block.summary)}</summary>\n{inner}\n</details>"
            case doc.Waterfall() | doc.MemoryMap() | doc.CurvePlot() | doc.Timeline() | doc.Scatter() | doc.HeatMap():
                return self._picture(block)

    def _table(self, block: doc.Table) -> str:
        self._count += 1
        name = f"t{self._count}"
        head = "".join(f'<th scope="col"{_kind(_place(column))}>{_text(column.title)}</th>' for column in block.columns)
        body = "\n".join(_row(block.columns, row) for row in block.rows)
        foot = "\n".join(_row(block.columns, row) for row in block.footers)
        parts = f"<thead>\n<tr>{head}</tr>\n</thead>\n<tbody>\n{body}\n</tbody>"
        if foot:
            parts += f"\n<tfoot>\n{foot}\n</tfoot>"
        return (
            f'<section>\n<h2 id="{name}">{_text(block.title)}</h2>\n'
            f'<div class="scroll" role="region" aria-labelledby="{name}" tabindex="0">\n'
            f'<table aria-labelledby="{name}">\n{parts}\n</table>\n</div>\n</section>'
        )

    def _picture(self, picture: doc.Picture) -> str:
        # letters in a scaled-down picture would be too small to read: narrow pages get one drawn for them
        drawn = "\n".join(self._vector(picture, width, kind) for width, kind in ((_WIDE, "wide"), (_NARROW, "narrow")))
        return f"<figure>\n<figcaption><h2>{_text(picture.title)}</h2></figcaption>\n{drawn}\n</figure>"

    def _vector(self, picture: doc.Picture, width: float, kind: str) -> str:
        self._count += 1
        name = f"p{self._count}"
        drawing = draw_vector(picture, width, name)
        return (
            f'<svg class="{kind}" viewBox="0 0 {number(drawing.width)} {number(drawing.height)}" role="img" '
            f'aria-labelledby="{name}t {name}d">\n<title id="{name}t">{_text(picture.title)}</title>\n'
            f'<desc id="{name}d">{_text(picture.description)}</desc>\n{drawing.body}\n</svg>'
        )


def _lines(block: doc.Lines) -> str:
    shown = []
    for line in block.lines:
        tone = {"+": "ok", "-": "bad"}.get(line[:1], "") if block.language == "diff" else ""
        text = escape(whole(line))
        shown.append(f'<span class="tone-{tone}">{text}</span>' if tone else text)
    return "\n".join(shown)


def _headline(block: doc.Headline) -> str:
    mark = f'<span aria-hidden="true">{_MARKS[block.tone]}</span> ' if _MARKS[block.tone] else ""
    return (
        f'<p class="verdict {block.tone}"><strong>{mark}{_text(block.verdict)}</strong> '
        f"<span>{_text(block.sentence)}</span></p>"
    )


def _bullets(block: doc.Bullets) -> str:
    title = f"<h2>{_text(block.title)}</h2>\n" if block.title else ""
    items = "\n".join(f"<li>{_text(item)}</li>" for item in block.items)
    return f'<section>\n{title}<ul class="{block.tone}">\n{items}\n</ul>\n</section>'


def _row(columns: tuple[doc.Column, ...], row: doc.Row) -> str:
    cells = []
    for index, (column, cell) in enumerate(zip(columns, row, strict=True)):
        tone = "" if cell.tone == "neutral" else f"tone-{cell.tone}"
        brief = "brief" if len(cell.text) <= _BRIEF and not column.prose else ""
        kind = _kind(_place(column), brief, "quiet" if cell.quiet else "", tone)
        exact = f' title="{_text(cell.exact)}"' if cell.exact else ""
        tag, scope = ("th", ' scope="row"') if index == 0 else ("td", "")
        cells.append(f"<{tag}{scope}{kind}{exact}>{escape(cell_text(column, cell))}</{tag}>")
    return f"<tr>{''.join(cells)}</tr>"


def _place(column: doc.Column) -> str:
    return "number" if column.align == "right" else "prose" if column.prose else ""


def _kind(*names: str) -> str:
    given = " ".join(name for name in names if name)
    return f' class="{given}"' if given else ""


def _text(text: str) -> str:
    return escape(clean(text))


OUTPUT = Output(suffix=".html", write=write)
