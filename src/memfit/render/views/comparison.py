"""A prediction beside what a running process holds."""

from __future__ import annotations

from memfit.footprint.process import Comparison
from memfit.render.document import Cell, Column, Document, Fact, Facts, Headline, Row, Table, Tone
from memfit.render.views import _ledger as ledger
from memfit.render.views._figures import mib, model_words, title_words
from memfit.render.views._view import View


def document(comparison: Comparison) -> Document:
    """How far they are apart, what the process holds, and the ledger it was compared with."""
    footprint, process = comparison.footprint, comparison.process
    verdict, tone, sentence = _verdict(comparison)
    facts = Facts(
        (
            Fact("process", f"{process.pid}: {' '.join(process.command)}"),
            Fact("model", model_words(footprint.model)),
            Fact("engine", footprint.engine),
        )
    )
    columns = (Column("process"), Column("MiB", "right"), Column("what it is", prose=True))
    rows: tuple[Row, ...] = (
        (Cell("predicted, likely"), mib(footprint.likely_bytes), Cell("memory as touched after the first requests")),
        (Cell("held now"), mib(comparison.observed_bytes), Cell("PSS and swap")),
        (
            Cell("· anonymous", quiet=True),
            mib(process.anonymous_bytes, quiet=True),
            Cell("heap, caches, buffers", quiet=True),
        ),
        (
            Cell("· file-mapped", quiet=True),
            mib(process.file_bytes, quiet=True),
            Cell("mapped weights, libraries", quiet=True),
        ),
        (Cell("· swapped", quiet=True), mib(process.swapped_bytes, quiet=True), Cell("", quiet=True)),
        (Cell("peak so far"), mib(process.peak_bytes), Cell("VmHWM, resident")),
        (Cell("predicted, high"), mib(footprint.high_bytes), Cell("never more")),
    )
    table = Table("Prediction and process", columns, rows)
    blocks = (Headline(verdict, tone, sentence), facts, table, ledger.sources(footprint))
    return Document(title_words(footprint.model, footprint.device), blocks)


def _verdict(comparison: Comparison) -> tuple[str, Tone, str]:
    side = "less" if comparison.residual_ratio < 0 else "more"
    ratio = f"{abs(comparison.residual_ratio):.1%} {side} than likely"
    if comparison.observed_bytes > comparison.footprint.high_bytes:
        return "over", "bad", f"the process holds more than predicted at most, {ratio}: please report it"
    if comparison.observed_bytes < comparison.footprint.low_bytes:
        return (
            "below",
            "neutral",
            f"the process holds less than predicted at least, {ratio}: it has not touched everything yet",
        )
    return "within", "ok", f"the process holds what was predicted, {ratio}"


VIEW = View(record=Comparison, document=document, summary="a prediction beside a running process")
