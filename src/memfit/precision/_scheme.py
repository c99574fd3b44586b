"""The record of a weight format of checkpoints: what a quantizer of the Hugging Face world stores for a layer.

A GGUF file stores blocks (``_format.py``). A quantized checkpoint stores several tensors for each matrix instead:
packed numbers, scales, zero points, an order of columns. A scheme lists them, so its bytes are those of the files.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from memfit.errors import UsageError
from memfit.precision._support import Support

Part = Literal["linear", "embedding", "output", "norm", "router", "convolution", "other"]
Per = Literal["number", "group", "row", "column", "block", "matrix"]

DOCUMENT = "'LLM Optimization on Jetson', section 1.2"
AWQ_PAPER = "AWQ, arXiv 2306.00978, table 4 (wikitext-2, INT4 in groups of 128)"


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """One tensor that a checkpoint holds for a matrix of ``inputs`` × ``outputs`` numbers.

    Attributes:
        name: as it is called behind the layer's name.
        bits: of one element.
        per: what it holds one element for: each number, each group of a row's numbers, each row (an output), each
            column (an input), each block of ``group`` × ``group``, or the matrix.
        packed: elements are packed into 32-bit words along the inputs or the outputs; empty where they are not.
    """

    name: str
    bits: float
    per: Per
    packed: Literal["", "inputs", "outputs"] = ""

    def bytes(self, inputs: int, outputs: int, group: int) -> int:
        """Bytes of it for one matrix."""
        groups = -(-inputs // group) if group else 1
        if self.packed == "inputs":
            return outputs * _words(inputs if self.per == "number" else groups, self.bits)
        if self.packed == "outputs":
            return (inputs if self.per == "number" else groups) * _words(outputs, self.bits)
        count = {
            "number": inputs * outputs,
            "group": groups * outputs,
            "row": outputs,
            "column": inputs,
            "block": groups * (-(-outputs // group) if group else 1),
            "matrix": 1,
        }[self.per]
        return -(-int(count * self.bits) // 8)


def _words(count: int, bits: float) -> int:
    """Bytes of ``count`` elements in words of 32 bits."""
    return 4 * -(-int(count * bits) // 32)


class Prior(msgspec.Struct, frozen=True, kw_only=True):
    """What was published of a format's loss in quality; other models differ.

    Attributes:
        loss: in words.
        perplexity, baseline: of ``model`` with the format and without; None where only words were published.
        model: on which they were measured.
        source: where it was published.
    """

    loss: str
    perplexity: float | None = None
    baseline: float | None = None
    model: str = ""
    source: str


class Scheme(msgspec.Struct, frozen=True, kw_only=True):
    """How a checkpoint stores weights.

    Attributes:
        name: as people write it.
        summary: one line for people.
        weight_bits: of one number, without scales.
        group: numbers of a row that share a scale; 0 where a whole row or matrix does, or nothing.
        scale_bits, zero_bits: of one scale and one zero point, 0 where there is none.
        activation_bits: what the format means activations to be.
        tensors: what is stored for a linear layer.
        parts: what is quantized; the other parts take ``rest_bits`` a number.
        others: parts that are quantized in another way than linear layers.
        rest_bits: of numbers that are not quantized.
        experts_only: in a mixture of experts only the experts are quantized.
        unties: an output matrix that is the embedding is stored apart from it, as it is quantized in another way.
        whole: a row has to be a multiple of so many numbers, or the quantizer refuses; 0: none.
        quant_methods: names in ``quantization_config.quant_method`` of a checkpoint's ``config.json``.
        quality: what was published of its loss; None where nothing is known.
        support: what engines do with it, by compute capability.
        source: where the layout is defined.
        aliases: other names in use.
    """

    name: str
    summary: str
    weight_bits: float
    group: int = 0
    scale_bits: int = 0
    zero_bits: int = 0
    activation_bits: int = 16
    tensors: tuple[Stored, ...]
    parts: tuple[Part, ...] = ("linear",)
    others: dict[Part, tuple[Stored, ...]] = {}
    rest_bits: int = 16
    experts_only: bool = False
    unties: bool = False
    whole: int = 0
    quant_methods: tuple[str, ...] = ()
    quality: Prior | None = None
    support: tuple[Support, ...] = ()
    source: str
    aliases: tuple[str, ...] = ()

    @property
    def bits(self) -> float:
        """Bits a number of a linear layer, scales included, of a matrix of 4096 × 4096."""
        return 8 * self.matrix_bytes((4096, 4096)) / 4096**2

    def matrix_bytes(self, dims: tuple[int, ...]) -> int:
        """Bytes of a linear layer as such a checkpoint stores it, without its bias.

        Args:
            dims: inputs (the row) first, then outputs; further ones count matrices, as for experts.

        Raises:
            UsageError: rows that the quantizer refuses.
        """
        return self._bytes(self.tensors, dims)

    def part_bytes(self, part: Part, dims: tuple[int, ...], *, dense_of_experts: bool = False) -> int:
        """Bytes of a tensor of this part.

        Args:
            part: its role in the model.
            dims: the row first.
            dense_of_experts: it is no expert, and the model has experts.

        Raises:
            UsageError: rows that the quantizer refuses.
        """
        if len(dims) > 1:
            if part in self.others:
                return self._bytes(self.others[part], dims)
            if part in self.parts and not (self.experts_only and dense_of_experts):
                return self._bytes(self.tensors, dims)
        count = 1
        for size in dims:
            count *= size
        return count * self.rest_bits // 8

    def _bytes(self, tensors: tuple[Stored, ...], dims: tuple[int, ...]) -> int:
        inputs, outputs = dims[0], dims[1]
        if self.whole and inputs % self.whole:
            raise UsageError(
                f"a row of {inputs} numbers is not a whole number of {self.name}'s groups of {self.whole}",
                hint="its quantizer refuses such a layer: take a format without groups, such as fp8 or w8a8",
            )
        matrices = 1
        for size in dims[2:]:
            matrices *= size
        return matrices * sum(tensor.bytes(inputs, outputs, self.group) for tensor in tensors)


def plain(bits: int) -> tuple[Stored, ...]:
    """A matrix of floats, nothing beside it."""
    return (Stored(name="weight", bits=bits, per="number"),)
