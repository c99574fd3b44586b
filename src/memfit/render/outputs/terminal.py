"""Text for a terminal: tables, marks and block characters; colour only where it will be seen."""

from __future__ import annotations

import codecs
import io
import os
from typing import TYPE_CHECKING, TextIO

from memfit.render import document as doc
from memfit.render.drawing.cells import ASCII, BLOCKS, Glyphs, cell_width
from memfit.render.drawing.characters import draw
from memfit.render.outputs._output import Output, Request, cell_text
from memfit.render.untrusted import LONGEST_NAME, clean, to_ascii, whole

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_NARROWEST, _WIDEST, _UNASKED = 40, 120, 100
_NARROW_PROSE = 18
_LONGEST_WORD = 32  # longer ones are paths, which are broken anywhere
_SHORTEST_PIECE = 8
_TONES = {"ok": "green", "warn": "yellow", "bad": "red", "neutral": ""}
_STYLES = {
    **_TONES,
    "use": "blue",
    "total": "default",
    "limit": "bold",
    "quiet": "dim",
    "system": "dim",
    "free": "dim",
}
# the terminal's own six colours: it has chosen them to be legible on its background
for _index, _colour in enumerate(("blue", "yellow", "green", "magenta", "cyan", "red")):
    _STYLES[f"segment{_index}"] = _colour
    _STYLES[f"key{_index}"] = f"black on {_colour}"


def write(request: Request) -> str:
    """The document as text, with escape sequences only if the stream is a terminal (or ``FORCE_COLOR`` says so)."""
    colour = wants_colour(request.stream)
    glyphs = BLOCKS if _speaks_utf(request.stream) else ASCII
    page = _Page(_width(request), glyphs, colour=colour)
    page.document(request.document())
    text = page.text()
    if glyphs is ASCII:
        encoding = getattr(request.stream, "encoding", None) or "ascii"
        text = text.encode(encoding, "replace").decode(encoding)
    return text


def wants_colour(stream: TextIO | None) -> bool:
    """``NO_COLOR`` (no-color.org) wins over ``FORCE_COLOR`` (force-color.org), and both over what the stream is."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream is not None and stream.isatty() and os.environ.get("TERM", "") not in ("dumb", "")


def _speaks_utf(stream: TextIO | None) -> bool:
    encoding = getattr(stream, "encoding", None)
    if encoding is None:
        return True
    try:
        return codecs.lookup(encoding).name.startswith("utf")
    except LookupError:
        return False


def _width(request: Request) -> int:
    width = request.width
    if width is None and request.stream is not None and request.stream.isatty():
        try:
            width = os.get_terminal_size(request.stream.fileno()).columns
        except OSError:  # a terminal that will not say
            width = None
    if width is None:
        stated = os.environ.get("COLUMNS", "")
        width = int(stated) if stated.isdecimal() else _UNASKED
    # tables that span a whole wide screen are harder to read, not easier
    return min(max(width, _NARROWEST), _WIDEST)


class _Page:
    """A sheet of text that blocks are written on one after the other."""

    def __init__(self, width: int, glyphs: Glyphs, *, colour: bool) -> None:
        from rich.console import Console

        self._width = width
        self._glyphs = glyphs
        self._sheet = io.StringIO()
        # markup, highlighting and emoji codes off: a model's name is never an instruction to the renderer
        self._console: Console = Console(
            file=self._sheet,
            width=width,
            force_terminal=colour,
            force_jupyter=False,
            color_system="standard" if colour else None,
            no_color=not colour,
            markup=False,
            highlight=False,
            emoji=False,
            legacy_windows=False,
        )

    def text(self) -> str:
        """What was written, without trailing spaces."""
        return "\n".join(line.rstrip() for line in self._sheet.getvalue().split("\n")).rstrip("\n") + "\n"

    def document(self, document: doc.Document) -> None:
        """The title and every block, a blank line between them."""
        self._print(self._text(clean(document.title, longest=self._width), "bold"))
        for block in document.blocks:
            if not isinstance(block, doc.Headline):
                self._console.print()
            self._block(block)

    def _block(self, block: doc.Block) -> None:
        match block:
            case doc.Headline():
                self._headline(block)
            case doc.Facts():
                self._facts(block)
            case doc.Table():
                self._table(block)
            case doc.Bullets():
                self._bullets(block)
            case doc.Note():
                self._print(self._text(block.text, "dim"))
            case doc.Command():
                self._command(block)
            case doc.Lines():
                self._lines(block)
            case doc.Details():
                self._details(block)
            case doc.Waterfall() | doc.MemoryMap() | doc.CurvePlot() | doc.Timeline() | doc.Scatter() | doc.HeatMap():
                self._picture(block)

    def _headline(self, block: doc.Headline) -> None:
        marks = {"ok": self._glyphs.ok, "warn": self._glyphs.warn, "bad": self._glyphs.bad, "neutral": ""}
        verdict = f"{marks[block.tone]} {clean(block.verdict)}".strip()
        line = self._text("")
        line.append_text(self._text(verdict, f"bold {_TONES[block.tone]}".strip()))
        self._print(line.append_text(self._text(f" — {block.sentence}")))

    def _facts(self, block: doc.Facts) -> None:
        grid = self._grid()
        for item in block.items:
            grid.add_row(self._text(item.name, "dim"), self._text(item.value))
        self._print(grid)

    def _table(self, block: doc.Table) -> None:
        from rich.box import Box
        from rich.table import Table

        rule = self._glyphs.rule
        lines = ["    ", "    ", f" {rule}{rule} ", "    ", f" {rule}{rule} ", "    ", "    ", "    "]
        shown = self._columns(block)
        table = Table(
            box=Box("\n".join(lines) + "\n", ascii=True),
            show_edge=False,
            pad_edge=False,
            header_style="dim",
            border_style="dim",
            padding=(0, 1, 0, 0),
        )
        widths = self._widths(block, shown)
        for index in shown:
            column = block.columns[index]
            table.add_column(
                self._text(column.title),
                justify=column.align,
                # figures never wrap; names and prose give way, prose first because it is longest
                no_wrap=not _breaks(column),
                overflow="fold",
                width=widths.get(index),
                ratio=1 if not widths and column.prose and index == len(block.columns) - 1 else None,
            )
        for row in block.rows:
            table.add_row(*(self._cell(block.columns[index], row[index]) for index in shown))
        if block.footers:
            table.add_section()
        for row in block.footers:
            if not any(row[index].text for index in shown[1:]):
                continue  # what it says stood in a column that is left out
            last = row is block.footers[-1]
            cells = (self._cell(block.columns[index], row[index]) for index in shown)
            table.add_row(*cells, style="bold" if last else None)
        self._heading(block.title)
        self._print(table)

    def _columns(self, block: doc.Table) -> list[int]:
        """Places of the columns there is room for: spare ones go, the last first, before names are broken."""
        shown = list(range(len(block.columns)))
        widths = []
        for index in shown:
            least, most = _bounds(block, index)
            widths.append(max(least, min(most, _NARROW_PROSE)) if block.columns[index].prose else most)
        for index in reversed(range(len(block.columns))):
            if sum(widths[place] + 2 for place in shown) - 2 > self._width and block.columns[index].spare:
                shown.remove(index)
        return shown

    def _widths(self, block: doc.Table, shown: list[int]) -> dict[int, int]:
        """Widths that break as few words as can be, where not all columns have the room they want."""
        bounds = {index: _bounds(block, index) for index in shown}
        room = self._width - 2 * (len(shown) - 1)
        if sum(most for _, most in bounds.values()) <= room:
            return {}
        widths = {index: least for index, (least, _) in bounds.items()}
        while (left := room - sum(widths.values())) < 0:
            longest = max(
                (index for index in shown if _breaks(block.columns[index])), key=lambda index: widths[index], default=0
            )
            if widths[longest] <= _SHORTEST_PIECE:
                return {}
            widths[longest] -= 1
        wanting = sorted(shown, key=lambda index: (block.columns[index].prose, bounds[index][1] - widths[index]))
        for place, index in enumerate(wanting):  # sentences last: the longest get what is left
            later = wanting[place + 1 :]
            beyond = left - sum(max(0, min(bounds[one][1], _NARROW_PROSE) - widths[one]) for one in later)
            want = bounds[index][1] - widths[index]
            whole = not block.columns[index].prose or not later or want <= beyond
            more = min(want, left if whole else left // 2)
            widths[index], left = widths[index] + more, left - more
        return widths

    def _cell(self, column: doc.Column, cell: doc.Cell) -> Text:
        return self._text(cell_text(column, cell), _TONES[cell.tone] or ("dim" if cell.quiet else ""))

    def _bullets(self, block: doc.Bullets) -> None:
        self._heading(block.title)
        marks = {"ok": self._glyphs.ok, "warn": self._glyphs.warn, "bad": self._glyphs.bad, "neutral": self._glyphs.dot}
        grid = self._grid()
        for item in block.items:
            grid.add_row(self._text(marks[block.tone], _TONES[block.tone]), self._text(item))
        self._print(grid)

    def _command(self, block: doc.Command) -> None:
        if block.purpose:
            self._print(self._text(block.purpose, "dim"))
        line = whole(block.line)
        self._console.print(self._text("  $ ", "dim", exact=True).append(line), soft_wrap=True)

    def _lines(self, block: doc.Lines) -> None:
        self._heading(block.title)
        for line in block.lines:
            shown = whole(line)
            tone = {"+": "green", "-": "red"}.get(shown[:1], "") if block.language == "diff" else ""
            self._console.print(self._text("  ", exact=True).append(shown, tone or None), soft_wrap=True)

    def _details(self, block: doc.Details) -> None:
        how = f"--{block.view}" if block.view else "--html FILE"
        self._print(self._text(f"{block.summary}: {how}", "dim"))

    def _picture(self, picture: doc.Picture) -> None:
        self._heading(picture.title)
        for spans in draw(picture, self._width, self._glyphs):
            line = self._text("")
            for span in spans:
                line.append(span.text if self._glyphs is BLOCKS else to_ascii(span.text), _STYLES.get(span.style, ""))
            self._console.print(line, soft_wrap=True)

    def _heading(self, title: str) -> None:
        if title:
            self._print(self._text(clean(title, longest=LONGEST_NAME), "bold"))

    def _grid(self) -> Table:
        from rich.table import Table

        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        return grid

    def _text(self, text: str, style: str = "", *, exact: bool = False) -> Text:
        from rich.text import Text

        shown = text if exact else clean(text)
        return Text(to_ascii(shown) if self._glyphs is ASCII else shown, style, overflow="fold")

    def _print(self, shown: Text | Table) -> None:
        self._console.print(shown)


def _breaks(column: doc.Column) -> bool:
    return column.align != "right" or column.prose


def _bounds(block: doc.Table, index: int) -> tuple[int, int]:
    """The width of a column's longest word, and of its widest cell; figures are one word, and paths none."""
    column = block.columns[index]
    texts = [column.title, *(cell_text(column, row[index]) for row in (*block.rows, *block.footers))]
    most = max(map(cell_width, texts))
    if not _breaks(column):
        return most, most
    words = [cell_width(word) for text in texts for word in text.split()]
    return max((width for width in words if width <= _LONGEST_WORD), default=min(most, _NARROW_PROSE)), most


OUTPUT = Output(suffix=".txt", write=write, aliases=("text",))
