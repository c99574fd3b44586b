"""The cards without those whose build another has: what an engine allocates is asked once for each build."""

from __future__ import annotations

from memfit.model.cards import CARDS


def distinct() -> tuple[str, ...]:
    """Keys of the cards, the first alone where several have one build."""
    seen: dict[tuple[object, ...], str] = {}
    for key, card in CARDS.items():
        seen.setdefault(card.build(), key)
    return tuple(seen.values())
