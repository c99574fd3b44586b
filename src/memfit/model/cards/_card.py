"""The record of a well-known model: its hyperparameters under their GGUF keys, and where they were read."""

from __future__ import annotations

from dataclasses import dataclass, field

from memfit.model.metadata import Metadata, Value

# keys that stand in a GGUF header as they are, without the architecture's prefix
FULL_KEYS = ("general.", "tokenizer.")


@dataclass(frozen=True)
class Card:
    """A model that can be sized before it is downloaded.

    Attributes:
        name: as its makers write it.
        architecture: its name in a GGUF header, ``gpt-oss``.
        metadata: hyperparameters by GGUF key without the architecture's prefix; ``vocab_size`` among them. Keys that
            have no such prefix (``tokenizer.ggml.token_type_count``) are written in full.
        source: where the hyperparameters were read.
        aliases: other names people use.
        tied: the output matrix is the token embedding.
        tokenizer: ``gpt2`` (byte-pair, with merges), ``llama`` (sentencepiece), ``bert``.
        optional_tensors: those of the tensors that the architecture leaves open which a conversion of this model
            holds, by name without the block: ``rope_freqs``.
    """

    name: str
    architecture: str
    metadata: dict[str, Value]
    source: str
    tied: bool = False
    tokenizer: str = "gpt2"
    aliases: tuple[str, ...] = field(default=())
    optional_tensors: tuple[str, ...] = field(default=())

    def header(self) -> dict[str, Value]:
        """The hyperparameters as they stand in a GGUF header, architecture and name among them."""
        values: dict[str, Value] = {"general.architecture": self.architecture, "general.name": self.name}
        for key, value in self.metadata.items():
            values[key if key.startswith(FULL_KEYS) else f"{self.architecture}.{key}"] = value
        return values

    def hyperparameters(self) -> Metadata:
        """The header, ready for an architecture's ``plan`` and ``tensors``."""
        return Metadata(self.architecture, self.header(), file=f"card {self.name}", optional=self.optional_tensors)
