"""The record of a well-known model: its hyperparameters under their GGUF keys, and where they were read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from memfit.model.metadata import Metadata, Value

# keys that stand in a GGUF header as they are, without the architecture's prefix
FULL_KEYS = ("general.", "tokenizer.")

# What a model may be for, and what its makers must publish of it (in its description on Hugging Face) before its card
# says so. A use says nothing of how good it is at it.
USES = {
    "completion": "it continues text; no version tuned for more is published",
    "classification": "small, and named for sorting, extracting, short answers, or training further for one task",
    "tools": "its makers train it to call functions, and publish the template for it",
    "chat": "a version tuned to follow instructions in a conversation is published",
    "reasoning": "it thinks before it answers, or its makers name mathematics and logic as its purpose",
    "code": "its makers name writing code as a purpose",
    "vision": "it takes images",
    "bilingual": "its makers publish it for Chinese and English",
    "long_context": "its header states 32,768 tokens or more, and its makers vouch for them",
    "embedding": "it gives vectors for search, no text",
    "speech": "it takes or gives speech",
}


@dataclass(frozen=True)
class Card:
    """A model that can be sized before it is downloaded.

    Attributes:
        name: as its makers write it.
        architecture: its name in a GGUF header, ``gpt-oss``.
        metadata: hyperparameters by GGUF key without the architecture's prefix; ``vocab_size`` among them. Keys that
            have no such prefix (``tokenizer.ggml.token_type_count``) are written in full.
        source: where the hyperparameters were read.
        uses: what its makers publish it for, keys of ``USES``.
        released: year and month of its publication, ``2024-09``; None where nobody looked it up.
        aliases: other names people use.
        native_format: the preset that its makers' own weights are in, where more bits add nothing; empty for 16 bits.
        tied: the output matrix is the token embedding.
        tokenizer: ``gpt2`` (byte-pair, with merges), ``llama`` (sentencepiece), ``bert``.
        optional_tensors: those of the tensors that the architecture leaves open which a conversion of this model
            holds, by name without the block: ``rope_freqs``.
    """

    name: str
    architecture: str
    metadata: dict[str, Value]
    source: str
    uses: tuple[str, ...] = ()
    released: str | None = None
    native_format: str = ""
    tied: bool = False
    tokenizer: str = "gpt2"
    aliases: tuple[str, ...] = field(default=())
    optional_tensors: tuple[str, ...] = field(default=())

    def named(
        self,
        name: str,
        *,
        source: str,
        uses: tuple[str, ...],
        released: str | None = None,
        aliases: tuple[str, ...] = (),
        **changed: Value,
    ) -> Card:
        """Another model of this shape: trained further, or distilled into it.

        ``changed`` are the hyperparameters that differ (``context_length``), by key without a dot.
        """
        metadata = {**self.metadata, **changed}
        return replace(self, name=name, source=source, uses=uses, released=released, aliases=aliases, metadata=metadata)

    def build(self) -> tuple[object, ...]:
        """What decides the tensors: cards with equal builds are one model to an engine."""
        # the context a model is trained for changes no tensor of a decoder; an encoder has a table of positions
        encoder = self.metadata.get("attention.causal") is False
        sizes = sorted((key, str(size)) for key, size in self.metadata.items() if encoder or key != "context_length")
        return (self.architecture, self.tied, self.tokenizer, self.optional_tensors, tuple(sizes))

    def header(self) -> dict[str, Value]:
        """The hyperparameters as they stand in a GGUF header, architecture and name among them."""
        values: dict[str, Value] = {"general.architecture": self.architecture, "general.name": self.name}
        for key, value in self.metadata.items():
            values[key if key.startswith(FULL_KEYS) else f"{self.architecture}.{key}"] = value
        return values

    def hyperparameters(self) -> Metadata:
        """The header, ready for an architecture's ``plan`` and ``tensors``."""
        return Metadata(self.architecture, self.header(), file=f"card {self.name}", optional=self.optional_tensors)
