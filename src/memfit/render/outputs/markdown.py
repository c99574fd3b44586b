"""GitHub-flavoured Markdown, for documentation and reports."""

from __future__ import annotations

import re
from collections.abc import Iterable

from memfit.render import document as doc
from memfit.render.drawing.cells import BLOCKS
from memfit.render.drawing.characters import draw
from memfit.render.outputs._output import Output, Request, cell_text
from memfit.render.untrusted import clean, whole

_MARKS = {"ok": "✓ ", "warn": "! ", "bad": "✗ ", "neutral": ""}
_PICTURE_WIDTH = 84
# what can start a construct anywhere in a line, < and & for the HTML that Markdown lets through, and : for addresses
# and emoji codes, which become more than text without any bracket
_SPECIAL = re.compile(r"([\\`*_\[\]<>&|~$@]|:(?=\S))")
_BLOCK_START = re.compile(r"^(\d*)([-+=.)#])")


def write(request: Request) -> str:
    """The document as Markdown; pictures are drawn in characters."""
    document = request.document()
    return "\n\n".join([f"# {escape(document.title)}", *(_block(block) for block in document.blocks)]) + "\n"


def escape(text: str) -> str:
    """One line of text that Markdown shows as it is."""
    return _SPECIAL.sub(r"\\\1", clean(text).strip())


def _paragraph(text: str) -> str:
    """As ``escape``, where a line or a list item begins: no list, heading or rule may start there."""
    return _BLOCK_START.sub(r"\1\\\2", escape(text))


def _block(block: doc.Block) -> str:
    match block:
        case doc.Headline():
            return f"**{_MARKS[block.tone].replace('!', '⚠')}{escape(block.verdict)}** — {escape(block.sentence)}"
        case doc.Facts():
            return "\n".join(f"- {_paragraph(item.name)}: {escape(item.value)}" for item in block.items)
        case doc.Table():
            return _table(block)
        case doc.Bullets():
            title = f"**{escape(block.title)}**\n\n" if block.title else ""
            return title + "\n".join(f"- {_paragraph(item)}" for item in block.items)
        case doc.Note():
            return _paragraph(block.text)
        case doc.Command():
            purpose = f"{_paragraph(block.purpose)}\n\n" if block.purpose else ""
            return purpose + _fenced(whole(block.line), "sh")
        case doc.Lines():
            title = f"**{escape(block.title)}**\n\n" if block.title else ""
            return title + _fenced("\n".join(map(whole, block.lines)), block.language)
        case doc.Details():
            inner = "\n\n".join(_block(inner) for inner in block.blocks)
            return f"<details>\n<summary>{_html(block.summary)}</summary>\n\n{inner}\n\n</details>"
        case doc.Waterfall() | doc.MemoryMap() | doc.CurvePlot() | doc.Timeline() | doc.Scatter() | doc.HeatMap():
            lines = ("".join(span.text for span in spans).rstrip() for spans in draw(block, _PICTURE_WIDTH, BLOCKS))
            return f"**{escape(block.title)}**\n\n" + _fenced("\n".join(lines), "text")


def _table(block: doc.Table) -> str:
    rules = ("---:" if column.align == "right" else "---" for column in block.columns)
    lines = [_row(escape(column.title) for column in block.columns), _row(rules)]
    rows = [[escape(cell_text(*pair)) for pair in zip(block.columns, row, strict=True)] for row in block.rows]
    footers = [[escape(cell_text(*pair)) for pair in zip(block.columns, row, strict=True)] for row in block.footers]
    lines += [_row(row) for row in rows]
    lines += [_row(f"**{text}**" if text else "" for text in row) for row in footers]
    return f"**{escape(block.title)}**\n\n" + "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _fenced(text: str, language: str) -> str:
    # a fence longer than any run of backticks inside cannot be closed from within
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"


def _html(text: str) -> str:
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


OUTPUT = Output(suffix=".md", write=write, aliases=("md",))
