"""The runs that were kept, a line each."""

from __future__ import annotations

from pathlib import PurePath

from memfit.measure.history import Runs, RunSummary
from memfit.precision.presets import PRESETS
from memfit.render.document import Block, Cell, Column, Command, Document, Headline, Note, Row, Table
from memfit.render.views._figures import gib, mib
from memfit.render.views._view import View
from memfit.render.views.observation import TONES

_BLANK = Cell("")


def document(runs: Runs) -> Document:
    """Newest first."""
    title = "Runs"
    if not runs.count:
        found: tuple[Block, ...] = (
            Headline("no runs", "neutral", f"nothing is kept in {runs.store}"),
            Command("memfit verify model.gguf", "runs a model and keeps what it showed"),
        )
        return Document(title, found)
    word = "run" if runs.count == 1 else "runs"
    blocks: list[Block] = [Headline(f"{runs.count} {word}", "neutral", runs.store), _table(runs.items)]
    if (older := runs.count - len(runs.items)) > 0:
        blocks.append(Note(f"{older} older: memfit runs --last 0 lists all of them"))
    return Document(title, tuple(blocks))


def _table(items: tuple[RunSummary, ...]) -> Table:
    columns = (
        Column("id", "right"),
        Column("when, UTC", spare=True),
        Column("model"),
        Column("format", spare=True),
        Column("limit", "right", spare=True),
        Column("outcome"),
        Column("peak, MiB", "right"),
        Column("tokens/s", "right", spare=True),
    )
    return Table("Newest first", columns, tuple(_row(item) for item in items))


def _row(item: RunSummary) -> Row:
    model, preset = _split(item)
    speed = item.decode_tokens_per_s
    return (
        Cell(str(item.id)),
        Cell(item.began[:16].replace("T", " "), quiet=True),
        Cell(model, exact=item.model),
        Cell(preset),
        _limit(item),
        Cell(item.outcome, tone=TONES[item.outcome]),
        mib(item.peak_pss_bytes) if item.peak_pss_bytes else _BLANK,
        _BLANK if speed is None else Cell(f"{speed:.1f}"),
    )


def _limit(item: RunSummary) -> Cell:
    if item.limit_bytes is None:
        return _BLANK
    exact = f"{item.limit_bytes} bytes"
    if item.enforced is False:
        return Cell(f"{gib(item.limit_bytes)}, watched", exact=f"{exact}, only watched and not enforced", tone="warn")
    return Cell(gib(item.limit_bytes), exact=exact)


def _split(item: RunSummary) -> tuple[str, str]:
    """The model's name and its preset, which a file carries at the end of its own: ``Qwen3-8B-Q4_K_M.gguf``."""
    stem = PurePath(item.model).name.removesuffix(".gguf") or item.model
    if item.format is not None:
        return stem, item.format
    ends = [key for key in PRESETS.keys() if stem.lower().endswith((f"-{key}", f".{key}"))]  # noqa: SIM118  a Catalog is no dict
    if not ends:
        return stem, ""
    length = max(map(len, ends))
    return stem[: -length - 1], stem[-length:]


VIEW = View(record=Runs, document=document, summary="the runs that were kept, newest first")
