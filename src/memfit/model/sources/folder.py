"""A folder of Hugging Face, or its config.json."""

from __future__ import annotations

from pathlib import Path

from memfit.model.cards import Card
from memfit.model.gguf._refusals import exists
from memfit.model.shape import ModelShape
from memfit.model.sources._source import Source

CONFIG = "config.json"


def _takes(name: str) -> bool:
    if not name or "\x00" in name:
        return False
    path = Path(name)
    return path.is_file() if path.name == CONFIG else exists(path / CONFIG)


def _shape(name: str, format: str | None, known_only: bool) -> ModelShape:
    from memfit.model.folder import folder_shape  # a GGUF file needs none of it

    return folder_shape(name, format=format)


def _card(name: str) -> Card | None:
    from memfit.model.folder import read_folder

    return read_folder(name).checkpoint.card


SOURCE = Source(
    summary="path of a folder with a config.json",
    place=10,
    takes=_takes,
    shape=_shape,
    card=_card,
)
