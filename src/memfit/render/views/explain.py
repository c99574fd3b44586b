"""A footprint's figures with their formulas: where each one comes from."""

from __future__ import annotations

from memfit.footprint.records import Footprint
from memfit.render.document import Document
from memfit.render.views import _ledger as ledger
from memfit.render.views._figures import title_words
from memfit.render.views._view import View


def document(footprint: Footprint) -> Document:
    """Verdict, facts, and every term with source, formula, error bar and parts."""
    blocks = (ledger.headline(footprint), ledger.facts(footprint), ledger.sources(footprint))
    return Document(title_words(footprint.model, footprint.device), blocks)


VIEW = View(record=Footprint, document=document, summary="every term with its formula, error bar and parts")
