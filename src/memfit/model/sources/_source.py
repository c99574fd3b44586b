"""The record of one way of naming a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from memfit.model.cards import Card
from memfit.model.shape import ModelShape


def _no_card(name: str) -> Card | None:
    return None


@dataclass(frozen=True)
class Source:
    """One way.

    Attributes:
        summary: what such a name looks like, in one line.
        place: when it is asked, the lowest first.
        takes: whether a name is of this kind; reads nothing but the names of files.
        shape: the model of that name. The format is a preset, or None for the model as it is; the truth value is False
            where a shape without layers will do.
        card: the hyperparameters by which llama.cpp would convert the model, None where there is a GGUF file to be
            read, or nothing to be converted.
    """

    summary: str
    place: int
    takes: Callable[[str], bool]
    shape: Callable[[str, str | None, bool], ModelShape]
    card: Callable[[str], Card | None] = _no_card
