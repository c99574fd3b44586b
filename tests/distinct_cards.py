"""The cards without those whose shape another has: what an engine allocates is asked once for each shape."""

from __future__ import annotations

from memfit.model.cards import CARDS, Card


def _shape(card: Card) -> tuple[object, ...]:
    # the context a model is trained for changes no tensor of a decoder; an encoder has a table of positions
    encoder = card.metadata.get("attention.causal") is False
    sizes = {key: str(value) for key, value in card.metadata.items() if encoder or key != "context_length"}
    return (card.architecture, card.tied, card.tokenizer, card.optional_tensors, tuple(sorted(sizes.items())))


def distinct() -> tuple[str, ...]:
    """Keys of the cards, the first alone where several have one shape."""
    seen: dict[tuple[object, ...], str] = {}
    for key, card in CARDS.items():
        seen.setdefault(_shape(card), key)
    return tuple(seen.values())
