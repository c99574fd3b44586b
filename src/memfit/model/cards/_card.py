"""The record of a well-known model: its hyperparameters under their GGUF keys, and where they were read."""

from __future__ import annotations

from dataclasses import dataclass, field

from memfit.model.metadata import Value


@dataclass(frozen=True)
class Card:
    """A model that can be sized before it is downloaded.

    Attributes:
        name: as its makers write it.
        architecture: key of ``model.architectures``.
        metadata: hyperparameters by GGUF key without the architecture's prefix; ``vocab_size`` among them.
        source: where the hyperparameters were read.
        aliases: other names people use.
        tied: the output matrix is the token embedding.
        tokenizer: ``gpt2`` (byte-pair, with merges), ``llama`` (sentencepiece), ``bert``.
    """

    name: str
    architecture: str
    metadata: dict[str, Value]
    source: str
    tied: bool = False
    tokenizer: str = "gpt2"
    aliases: tuple[str, ...] = field(default=())
