"""The record of a model that hears or speaks: not one of llama.cpp's, so it has no GGUF hyperparameters."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Task = Literal["recognition", "synthesis", "activity"]


class Speech(msgspec.Struct, frozen=True, kw_only=True):
    """A model for speech that can be sized before it is downloaded.

    Attributes:
        name: as its makers write it.
        task: ``recognition`` (speech to text), ``synthesis`` (text to speech), ``activity`` (whether someone speaks).
        parameters: exactly, or as its makers round them where ``exact`` is False.
        file_bytes: of the file its makers publish, in ``format``; None where a config tells all there is to know.
        format: of that file's numbers.
        config: the fields of its ``config.json`` that decide its shape, for the reader of their ``model_type``; None
            where it has none.
        source: where parameters, config and file were read.
        uses: as a card's.
        released: year and month, ``2022-09``.
        aliases: other names people use.
    """

    name: str
    task: Task
    parameters: int
    exact: bool = True
    file_bytes: int | None = None
    format: str = "F32"
    config: dict[str, Any] | None = None
    source: str
    uses: tuple[str, ...] = ("speech",)
    released: str | None = None
    aliases: tuple[str, ...] = ()

    @property
    def engine(self) -> str:
        """What usually runs it: key of ``engine.runtimes``."""
        return "onnxruntime" if self.config is None else "ctranslate2"

    def weights_bytes(self, bits: float) -> int:
        """What its weights take at ``bits`` each."""
        return int(self.parameters * bits / 8)
