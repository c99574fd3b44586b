"""The largest value of an option that fits, and the footprint there."""

from __future__ import annotations

from memfit.footprint.again import as_command
from memfit.footprint.records import Largest
from memfit.render.document import Document, Headline
from memfit.render.views import footprint as footprint_view
from memfit.render.views._figures import gib, shell_command, title_words
from memfit.render.views._view import View
from memfit.units import format_tokens

_NOUNS = {"slots": "number of slots"}


def document(largest: Largest) -> Document:
    """The value as the headline, then the ledger at that value."""
    footprint = largest.footprint
    capacity = gib(footprint.capacity_bytes)
    if largest.value is None:
        smallest = f"the smallest already needs {gib(footprint.required_bytes)}"
        head = Headline("none", "bad", f"no {_NOUNS.get(largest.option, largest.option)} fits {capacity}: {smallest}")
    else:
        amount = f"{format_tokens(largest.value)} tokens" if largest.option == "context" else f"{largest.value}"
        bound = "as far as it goes" if largest.value >= largest.most else "the largest that fits"
        head = Headline(amount, "ok", f"{largest.option}: {bound}, in {capacity}{_shared(largest)}")
    rest = tuple(block for block in footprint_view.document(footprint).blocks if not isinstance(block, Headline))
    again = () if largest.value is None else (shell_command("with this value", *as_command(footprint)),)
    return Document(title_words(footprint.model, footprint.device), (head, *again, *rest))


def _shared(largest: Largest) -> str:
    """More slots are no more context: llama.cpp divides one among them."""
    if largest.option != "slots":
        return ""
    footprint = largest.footprint
    context = footprint.deployment.options.context_tokens or footprint.model.context_trained_tokens
    return f"; they share a context of {format_tokens(context)} tokens"


VIEW = View(record=Largest, document=document, summary="the largest context or number of slots that fits")
