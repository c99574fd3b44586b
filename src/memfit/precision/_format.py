"""The record of a number format: how many bytes a row of numbers takes."""

from __future__ import annotations

from typing import Literal

import msgspec

from memfit.errors import UsageError

Kind = Literal["float", "integer", "block", "k-quant", "i-quant", "ternary", "microscaling"]


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """How numbers are stored, as ggml stores them.

    Attributes:
        name: as llama.cpp prints it, ``Q4_K``.
        number: ggml's type number in a GGUF file.
        block_elements: numbers that share one block.
        block_bytes: bytes of that block.
        kind: the family.
        summary: one line for people.
        source: where the block's layout is defined.
        aliases: other names in use for it.
        fallback: what the engine's quantizer takes where a row is not a whole number of blocks
            (``tensor_type_fallback``, llama.cpp src/llama-quant.cpp, 0c1e57098); None where it has no answer.
        needs_imatrix: the quantizer refuses to make it without an importance matrix (``tensor_requires_imatrix``,
            same file).
        kv_cache: the engine's command line accepts it for the KV cache (``kv_cache_types``, llama.cpp
            common/arg.cpp, 0c1e57098).
    """

    name: str
    number: int
    block_elements: int
    block_bytes: int
    kind: Kind
    summary: str
    source: str
    aliases: tuple[str, ...] = ()
    fallback: str | None = None
    needs_imatrix: bool = False
    kv_cache: bool = False

    @property
    def quantized(self) -> bool:
        """Whether numbers share blocks, as opposed to plain floats and integers (``ggml_is_quantized``)."""
        return self.kind not in ("float", "integer")

    @property
    def bits(self) -> float:
        """Bits a number, scales included."""
        return 8 * self.block_bytes / self.block_elements

    def row_bytes(self, elements: int) -> int:
        """Bytes of one row of ``elements`` numbers.

        Raises:
            UsageError: the row is not a whole number of blocks.
        """
        blocks, rest = divmod(elements, self.block_elements)
        if rest:
            raise UsageError(
                f"a row of {elements} numbers is not a whole number of {self.name} blocks of {self.block_elements}",
                hint="choose a format with a smaller block, such as Q8_0 or F16",
            )
        return blocks * self.block_bytes

    def tensor_bytes(self, dims: tuple[int, ...]) -> int:
        """Bytes of a contiguous tensor whose first dimension is its row."""
        rows = 1
        for size in dims[1:]:
            rows *= size
        return self.row_bytes(dims[0]) * rows
