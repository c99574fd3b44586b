"""A model by its name, whatever kind of name that is."""

from __future__ import annotations

from memfit.errors import UnknownName
from memfit.model.cards import CARDS, Card
from memfit.model.shape import ModelShape
from memfit.model.sources import SOURCES, Source


def find_model(name: str, *, format: str | None = None, known_only: bool = True) -> ModelShape:
    """The shape of a model: the path of a GGUF file or of a Hugging Face folder, or a card (``Llama-3.2-3B``).

    ``format`` is the preset that weights are sized in: of a card ``Q4_K_M`` where none is given, of a folder its own
    tensors. A GGUF file has its own always.

    Raises:
        ModelError: a file that cannot be used, or one that is not on this machine.
        UnknownName: neither a file nor a folder nor a card; the hint names the nearest cards.
        UsageError: an empty name.
    """
    return _source_of(name).shape(name, format, known_only)


def find_card(name: str) -> Card | None:
    """The hyperparameters by which llama.cpp would convert a model named as for ``find_model``.

    None where it is a GGUF file already, or a folder of a model that llama.cpp cannot run.

    Raises:
        ModelError: a folder that cannot be used.
        UnknownName: neither a file nor a folder nor a card.
    """
    return _source_of(name).card(name)


def _source_of(name: str) -> Source:
    for source in sorted(SOURCES, key=lambda source: source.place):
        if source.takes(name):
            return source
    raise UnknownName("model", name, (card.name for card in CARDS))
