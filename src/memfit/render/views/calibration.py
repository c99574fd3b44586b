"""What runs taught on a machine: every setting that ran, and how far it had been off."""

from __future__ import annotations

from memfit.footprint.calibration import Calibration, Residual
from memfit.render.document import Cell, Column, Document, Fact, Facts, Headline, Note, Row, Table
from memfit.render.views._figures import mib
from memfit.render.views._view import View


def document(calibration: Calibration) -> Document:
    """How many settings ran, what each showed, and what it holds for."""
    residuals = calibration.residuals
    settings = len({one.setting for one in residuals})
    runs = sum(len(one.observed_bytes) for one in residuals)
    headline = Headline(
        f"{settings} setting{'s' if settings != 1 else ''} ran",
        "ok" if residuals else "neutral",
        f"{runs} run{'s' if runs != 1 else ''} in all; each is predicted as it was observed",
    )
    facts = Facts(
        (
            Fact("machine", calibration.machine),
            Fact("engine", f"{calibration.engine} {calibration.version}"),
            Fact("backend", calibration.backend),
        )
    )
    table = Table("What was predicted, and what was observed, MiB", _COLUMNS, tuple(map(_row, residuals)))
    note = Note("off: the median run less the prediction without calibration")
    return Document("What runs taught here", (headline, facts, *((table, note) if residuals else ())))


_COLUMNS = (
    Column("model"),
    Column("setting", spare=True),
    Column("profile", spare=True),
    Column("filled", spare=True),
    Column("runs", "right"),
    Column("predicted", "right"),
    Column("observed", "right"),
    Column("off", "right"),
    Column("last"),
)


def _row(residual: Residual) -> Row:
    off = residual.typical_bytes - residual.likely_bytes
    return (
        Cell(residual.model),
        Cell(residual.setting[:8], quiet=True),
        Cell(residual.profile, quiet=True),
        Cell(f"{residual.prompt_tokens} tokens" if residual.filled == "part" else residual.filled, quiet=True),
        Cell(str(len(residual.observed_bytes))),
        mib(residual.likely_bytes),
        mib(residual.typical_bytes),
        mib(off),
        Cell(residual.last[:10]),
    )


VIEW = View(record=Calibration, document=document, summary="what runs taught on a machine")
