"""The record of one reader of ``config.json``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._section import Section


@dataclass(frozen=True)
class Config:
    """How the ``config.json`` of one ``model_type`` becomes a checkpoint's shape.

    Attributes:
        model_type: as it stands in the file.
        summary: the models that have it, in one line.
        source: where sizes, defaults of absent keys and tensors were read.
        read: the file (or the nested section of a larger model's) to its checkpoint.
        aliases: other model types that mean the same.
    """

    model_type: str
    summary: str
    source: str
    read: Callable[[Section], Checkpoint]
    aliases: tuple[str, ...] = ()


def transformers(*folders: str) -> str:
    """The source of a reader: the configuration and modeling files of these folders."""
    return "transformers 5.23.0 " + ", ".join(f"models/{folder}" for folder in folders)
