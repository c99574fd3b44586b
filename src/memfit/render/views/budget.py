"""A footprint in six lines: the ones a deployment is discussed in."""

from __future__ import annotations

from memfit.engine.records import Term
from memfit.footprint.records import Footprint
from memfit.render.document import Cell, Column, Document, Row, Step, Table
from memfit.render.views import _ledger as ledger
from memfit.render.views._figures import term_words, title_words
from memfit.render.views._view import View

_LINES = (
    ("weights", ("weights", "projector", "draft")),
    ("KV cache", ("kv_cache", "recurrent_state", "prompt_cache")),
    ("activations", ("compute_buffers", "work_buffer", "cuda_graphs", "output_buffer")),
    ("runtime", ("runtime", "tokenizer")),
    ("OS", ("os",)),
    ("peak", ("peak_headroom",)),
)


def document(footprint: Footprint) -> Document:
    """Verdict, facts, six lines, the waterfall of the same lines."""
    rows: list[Row] = []
    steps: list[Step] = []
    for name, terms in _lines(footprint):
        apart = bool(terms) and not any(ledger.is_counted(term) for term in terms)
        held = "already out of the capacity" if apart else ", ".join(term_words(term.name) for term in terms)
        rows.append((*ledger.figures(name, terms, quiet=apart), Cell(held or "none", quiet=True)))
        if not apart:
            steps.append(ledger.step(name, terms))
    columns = (Column("line"), *ledger.FIGURE_COLUMNS, Column("of", prose=True, spare=True))
    table = Table("Budget, MiB", columns, tuple(rows), ledger.footers(footprint))
    blocks = (ledger.headline(footprint), ledger.facts(footprint), table, ledger.waterfall(footprint, steps))
    return Document(title_words(footprint.model, footprint.device), blocks)


def _lines(footprint: Footprint) -> list[tuple[str, tuple[Term, ...]]]:
    terms = footprint.terms + _system(footprint)
    lines = [(name, tuple(term for term in terms if term.name in members)) for name, members in _LINES]
    known = {member for _, members in _LINES for member in members}
    other = tuple(term for term in footprint.terms if term.name not in known)
    # a term that no line claims must still be seen, or the lines would not add up to the total
    return [*lines, ("other", other)] if other else lines


def _system(footprint: Footprint) -> tuple[Term, ...]:
    """What the system holds where the ledger has no term for it: this machine's is out of its capacity already."""
    held = footprint.device.os_bytes
    if not held or any(term.name == "os" for term in footprint.terms):
        return ()
    return (
        Term(
            name="os",
            pool="system",
            low_bytes=held,
            likely_bytes=held,
            high_bytes=held,
            source="measured",
            formula="MemTotal − MemAvailable",
        ),
    )


VIEW = View(record=Footprint, document=document, summary="six lines: weights, KV cache, activations, runtime, OS, peak")
