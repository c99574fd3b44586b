"""What a view produces and an output consumes: a document of blocks, with no widths, no colours and no markup.

A view says *what* is shown ("this row is a warning"); every output decides *how* (amber, ``!``, a CSS class). Sizes
inside pictures are plain bytes, because only the output knows its scale; text elsewhere is already written for people.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Tone = Literal["ok", "warn", "bad", "neutral"]
Align = Literal["left", "right"]
Role = Literal["system", "use", "free"]


class _Block(msgspec.Struct, frozen=True, tag=True):
    """Tagged with its class name, so that a document too survives a JSON round trip."""


class Headline(_Block, frozen=True, tag=True):
    """The answer: ``fits — 812.0 MiB to spare of 7.40 GiB`` is verdict, then sentence."""

    verdict: str
    tone: Tone
    sentence: str


class Fact(msgspec.Struct, frozen=True):
    """A named value."""

    name: str
    value: str


class Facts(_Block, frozen=True, tag=True):
    """Named values, one to a line."""

    items: tuple[Fact, ...]


class Cell(msgspec.Struct, frozen=True):
    """Text in a table.

    Attributes:
        text: what is shown.
        tone: ``ok``, ``warn`` and ``bad`` are coloured; the text has to say it as well.
        quiet: of less importance than its neighbours.
        exact: the same in full, shown on request where the output can: ``2011541504 bytes``.
    """

    text: str
    tone: Tone = "neutral"
    quiet: bool = False
    exact: str = ""


Row: TypeAlias = tuple[Cell, ...]


class Column(msgspec.Struct, frozen=True):
    """A column's head.

    Attributes:
        title: what stands above it.
        align: figures stand to the right.
        prose: holds sentences, which may be broken over lines.
        spare: may be left out, the last of them first, where a terminal is too narrow for all columns.
    """

    title: str
    align: Align = "left"
    prose: bool = False
    spare: bool = False


class Table(_Block, frozen=True, tag=True):
    """Rows under columns; ``footers`` are set off by a rule. Every row has as many cells as there are columns."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    footers: tuple[Row, ...] = ()


class Bullets(_Block, frozen=True, tag=True):
    """Sentences of one kind, such as warnings."""

    items: tuple[str, ...]
    tone: Tone = "neutral"
    title: str = ""


class Note(_Block, frozen=True, tag=True):
    """A quiet sentence."""

    text: str


class Command(_Block, frozen=True, tag=True):
    """One line for a shell, never wrapped or shortened, with what it is for."""

    line: str
    purpose: str = ""


class Lines(_Block, frozen=True, tag=True):
    """Lines as they are, such as a difference of two files or commands in their order; with what they are."""

    lines: tuple[str, ...]
    title: str = ""
    language: str = "text"


class Details(_Block, frozen=True, tag=True):
    """Blocks that stay closed until asked for; ``view`` names the view that opens them where nothing can be clicked."""

    summary: str
    blocks: tuple[Block, ...]
    view: str = ""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One bar of a waterfall.

    ``evictable_bytes`` is a part of ``high_bytes``; ``tone`` colours a total; ``observed_bytes`` is marked where it was
    measured.
    """

    name: str
    low_bytes: int
    likely_bytes: int
    high_bytes: int
    evictable_bytes: int = 0
    tone: Tone = "neutral"
    observed_bytes: int | None = None


class Waterfall(_Block, frozen=True, kw_only=True, tag=True):
    """Steps that add up, each starting where the one before ends; ``totals`` start at zero.

    ``description`` says in a sentence what the picture shows, for those who cannot see it.
    """

    title: str
    description: str
    steps: tuple[Step, ...]
    totals: tuple[Step, ...] = ()
    capacity_bytes: int | None = None
    capacity_name: str = "capacity"


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a memory map."""

    name: str
    bytes: int
    role: Role = "use"


class MemoryMap(_Block, frozen=True, kw_only=True, tag=True):
    """Segments side by side against a total; what exceeds the total is drawn beyond its end."""

    title: str
    description: str
    segments: tuple[Segment, ...]
    total_bytes: int
    total_name: str = "total"


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a curve: bytes at every x, with an optional band and the line that decides set off by ``leading``."""

    name: str
    bytes: tuple[int, ...]
    band_low_bytes: tuple[int, ...] = ()
    band_high_bytes: tuple[int, ...] = ()
    leading: bool = False


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A place on the x axis, and the verdict on the leading series there."""

    x: int
    label: str
    tone: Tone = "neutral"
    verdict: str = ""


class CurvePlot(_Block, frozen=True, kw_only=True, tag=True):
    """Series over one option, against a horizontal limit."""

    title: str
    description: str
    x_name: str
    points: tuple[Point, ...]
    series: tuple[Series, ...]
    limit_bytes: int | None = None
    limit_name: str = "capacity"
    log_x: bool = False


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """One figure over time, each at its own moments; the limit is for the one that is ``leading``."""

    name: str
    at_s: tuple[float, ...]
    values: tuple[float, ...]
    leading: bool = False


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A moment with a name, such as the end of a phase."""

    name: str
    at_s: float


class Timeline(_Block, frozen=True, kw_only=True, tag=True):
    """Traces on one scale over seconds.

    Attributes:
        unit: of every figure, as the suffix of a house name: ``bytes``, ``mw``, ``c``, ``hz``, ``ratio``.
        limit: in that unit.
    """

    title: str
    description: str
    traces: tuple[Trace, ...]
    marks: tuple[Mark, ...] = ()
    unit: str = "bytes"
    limit: float | None = None
    limit_name: str = "limit"


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """One thing with a size and a figure; the error bar is of the figure."""

    name: str
    bytes: int
    value: float
    low: float
    high: float
    tone: Tone = "neutral"


class Scatter(_Block, frozen=True, kw_only=True, tag=True):
    """Things by size and by one figure, against a vertical limit.

    ``value_name`` says what the figure is, with its unit; ``bytes_name`` what the size is. ``log_value``: figures stand
    by their powers of ten, and all are above zero.
    """

    title: str
    description: str
    spots: tuple[Spot, ...]
    value_name: str
    limit_bytes: int
    limit_name: str = "capacity"
    bytes_name: str = "must stay in memory"
    log_value: bool = False


class Heat(msgspec.Struct, frozen=True, kw_only=True):
    """A cell of a heat map: ``share`` from 0, pale, to 1, dark; ``says`` what it is in full."""

    text: str
    share: float
    says: str = ""


class HeatMap(_Block, frozen=True, kw_only=True, tag=True):
    """Figures by rows and columns; None where there is none. ``key`` says what pale and dark mean."""

    title: str
    description: str
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    cells: tuple[tuple[Heat | None, ...], ...]
    key: str


Picture: TypeAlias = Waterfall | MemoryMap | CurvePlot | Timeline | Scatter | HeatMap
Block: TypeAlias = Headline | Facts | Table | Bullets | Note | Command | Lines | Details | Picture


_PICTURES = (Waterfall, MemoryMap, CurvePlot, Timeline, Scatter, HeatMap)


class Document(msgspec.Struct, frozen=True):
    """A title and what stands under it."""

    title: str
    blocks: tuple[Block, ...]

    def pictures(self) -> tuple[Picture, ...]:
        """The pictures, in order."""
        return tuple(block for block in self.blocks if isinstance(block, _PICTURES))
