"""Write ``docs/catalog.md``: every model memfit knows, what it is for, and where its figures were read.

python tools/generate_catalog.py
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from memfit.model.announced import ANNOUNCED
from memfit.model.cards import CARDS, Card
from memfit.model.cards._card import USES
from memfit.model.read import find_model
from memfit.model.speech import SPEECH

PAGE = Path(__file__).parents[1] / "docs/catalog.md"
_BEGINNING = """# The catalog of models

Written by `tools/generate_catalog.py` from `src/memfit/model/{cards,speech,announced}`, one file a model; a test holds
it to them. `memfit estimate NAME` sizes a model of the first table before anything is downloaded. Parameters are those
of the tensors that llama.cpp loads: the text half of models that take images, without heads that predict a second
token.
"""


def page() -> str:
    """The whole page."""
    uses = [f"| `{use}` | {words} |" for use, words in USES.items()]
    cards = [_card(card) for card in sorted(CARDS, key=lambda card: card.name.lower())]
    speech = [
        _row(
            model.name,
            f"{model.parameters:,}" if model.exact else f"some {model.parameters / 1e6:.0f} M",
            model.task,
            "" if model.file_bytes is None else f"{model.file_bytes:,} in {model.format}",
            model.released or "",
            model.source,
        )
        for model in sorted(SPEECH, key=lambda model: model.parameters)
    ]
    announced = [
        _row(model.name, _billions(model.parameters), _billions(model.parameters_active), model.why, model.source)
        for model in sorted(ANNOUNCED, key=lambda model: model.name.lower())
    ]
    parts = (
        _BEGINNING,
        "## What a model is for\n\n" + _table(("use", "what its makers publish of it"), uses),
        f"## {len(cards)} models that llama.cpp runs\n\n"
        + _table(("model", "parameters", "active", "architecture", "uses", "released", "source"), cards),
        f"## {len(speech)} models for speech\n\n"
        + _table(("model", "parameters", "task", "bytes of the published file", "released", "source"), speech),
        "## Models that cannot be sized, and why\n\n"
        + _table(("model", "parameters", "active", "it", "source"), announced),
    )
    return "\n".join(parts)


def _card(card: Card) -> str:
    shape = find_model(card.name)
    parameters, active = shape.parameters, shape.parameters_active
    return _row(
        card.name,
        f"{parameters:,}",
        "" if active == parameters else f"{active:,}",
        f"`{card.architecture}`",
        ", ".join(card.uses),
        card.released or "",
        card.source,
    )


def _billions(parameters: int | None) -> str:
    return "" if parameters is None else f"{parameters / 1e9:,g} billion"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _table(head: Sequence[str], rows: Iterable[str]) -> str:
    return "\n".join((_row(*head), "|" + "---|" * len(head), *rows)) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
