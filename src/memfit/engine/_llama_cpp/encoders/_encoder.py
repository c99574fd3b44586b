"""The records of an encoder and of a kind of projector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from memfit.engine._llama_cpp.encoder_graph import Dims, Graph
from memfit.model.shape import Tower


@dataclass(frozen=True)
class Encoder:
    """What the graph of one encoder depends on.

    Attributes:
        tower: what the file's header says of it.
        columns, rows: patches across and down; for sound, its frames across.
        merge: patches a side that become one token.
        tensors: dims of every tensor of the file by name, row first.
        wide: the patch embedding is BF16, whose columns are unfolded in F32.
    """

    tower: Tower
    columns: int
    rows: int
    merge: int
    tensors: Mapping[str, Dims] = field(repr=False)
    wide: bool = False

    @property
    def width(self) -> int:
        """Numbers in a hidden state."""
        return self.tower.embedding_length

    @property
    def patches(self) -> int:
        """Patches of the image."""
        return self.columns * self.rows

    @property
    def head(self) -> int:
        """Numbers a head."""
        return self.width // self.tower.heads

    def has(self, tensor: str) -> bool:
        """Whether the file holds a tensor."""
        return tensor in self.tensors

    def outputs(self, tensor: str) -> int:
        """Numbers that a matrix of the file gives for a row: its second dimension."""
        return self.tensors[tensor][1]

    def inner(self, block: str) -> int:
        """Width of a layer's feed-forward. Old files name its two matrices the other way round."""
        up = self.tensors[f"{block}.ffn_up.weight"]
        return up[1] if up[0] == self.width else up[0]


@dataclass(frozen=True)
class Projector:
    """One kind of projector, with the encoder that goes before it.

    Attributes:
        name: ``clip.projector_type`` in the file.
        summary: the models that have it.
        source: the engine's file that this one follows.
        graph: the compute graph for one image or sound.
        merge: patches a side that become one token, where the header does not say.
        warm_tokens: tokens a picture has for which the engine reserves memory at start; 0: of the trained image size.
        most_tokens: the most that it lets a picture have; 0: pictures are cut to the trained image size.
        batches: it encodes several pieces of a picture at once.
    """

    name: str
    summary: str
    source: str
    graph: Callable[[Encoder], Graph]
    merge: int = 1
    warm_tokens: int = 0
    most_tokens: int = 0
    batches: bool = False
    aliases: tuple[str, ...] = ()
