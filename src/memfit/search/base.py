"""The model that is quantized: what of it may change, and why it may not be one at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from memfit.errors import ModelError, UsageError
from memfit.model.file import read_shape
from memfit.model.gguf import Header, read_shards
from memfit.model.gguf.writer import Copied, Writable, write_header
from memfit.model.shape import ModelShape, Tensor
from memfit.precision._tensors import is_quantized
from memfit.precision.formats import FORMATS
from memfit.precision.presets import PRESETS

_QUANTIZATION_VERSION = 2  # GGML_QNT_VERSION, ggml/include/ggml.h (0c1e57098)
_FULL = ("F32", "F16", "BF16")
_PIECE = 1 << 22


class Base:
    """A GGUF file that others are made of.

    Args:
        path: of the file, or of any of its shards.
        forced: take a file that is quantized already.

    Raises:
        ModelError: it cannot be read.
        UsageError: it is no language model, or was quantized before.
    """

    def __init__(self, path: str, *, forced: bool = False) -> None:
        self.path = path
        self.shape: ModelShape = read_shape(path)
        self.header: Header = read_shards(self.shape.shards[0].path)
        self.warnings: tuple[str, ...] = ()
        refuse_speechless(path, self.shape)
        # in the file's own order
        self.changeable: tuple[Tensor, ...] = tuple(
            tensor for tensor in self.shape.tensors if is_quantized(tensor.name, tensor.dims, self.shape.architecture)
        )
        self._refuse_quantized(forced=forced)

    @property
    def whole_bytes(self) -> int:
        """Of all its files."""
        return sum(shard.bytes for shard in self.shape.shards)

    def sha256(self) -> str:
        """Of all its files, one behind another.

        Raises:
            ModelError: it cannot be read.
        """
        digest = hashlib.sha256()
        for shard in self.shape.shards:
            try:
                with Path(shard.path).open("rb") as file:
                    while piece := file.read(_PIECE):
                        digest.update(piece)
            except OSError as failure:
                raise ModelError(f"cannot be read: {failure.strerror}", file=shard.path) from failure
        return digest.hexdigest()

    def identity(self) -> list[list[str | int]]:
        """What tells this file from another without reading it all: names, sizes, times."""
        found: list[list[str | int]] = []
        for shard in self.shape.shards:
            known = Path(shard.path).stat()
            found.append([os.path.realpath(shard.path), known.st_size, known.st_mtime_ns])
        return found

    def file_bytes(self, formats: Mapping[str, str]) -> int:
        """Of a file with these formats, to the byte; tensors that are not named keep theirs."""
        alignment = self.header.alignment
        data = sum(-(-self._bytes_in(tensor, formats) // alignment) * alignment for tensor in self.shape.tensors)
        return self._header_bytes + data

    def new_header(self, formats: Mapping[str, str]) -> bytes:
        """The header of that file: the base's, with other formats."""
        metadata: dict[str, Writable] = {
            key: Copied(self.header.path, span.offset, span.bytes)
            for key, span in self.header.spans.items()
            if not key.startswith("split.") and not key.startswith("quantize.imatrix.")
        }
        metadata["general.file_type"] = self.file_type(formats)
        metadata["general.quantization_version"] = _QUANTIZATION_VERSION
        buffer = BytesIO()
        tensors = [(one.name, one.dims, formats.get(one.name, one.format)) for one in self.shape.tensors]
        write_header(buffer, metadata, tensors, alignment=self.header.alignment)
        return buffer.getvalue()

    def file_type(self, formats: Mapping[str, str]) -> int:
        """What other programs call such a file: the preset whose base is the format of most of its bytes."""
        totals: dict[str, int] = {}
        for tensor in self.changeable:
            name = formats.get(tensor.name, tensor.format)
            totals[name] = totals.get(name, 0) + tensor.elements
        most = max(totals, key=totals.__getitem__, default="F16")
        named = [one for one in PRESETS if one.base == most]
        medium = [one for one in named if one.name.endswith("_M")]
        return min(medium or named or [PRESETS.get("F16")], key=lambda one: one.file_type).file_type

    @staticmethod
    def tensor_bytes(tensor: Tensor, format: str) -> int:
        """Of a tensor in a format, without padding."""
        return FORMATS.get(format).tensor_bytes(tensor.dims)

    def padding(self, size: int) -> int:
        """Bytes behind so many of a tensor."""
        return -size % self.header.alignment

    @property
    def _header_bytes(self) -> int:
        if not hasattr(self, "_known_header_bytes"):
            self._known_header_bytes = len(self.new_header({}))
        return self._known_header_bytes

    @staticmethod
    def _bytes_in(tensor: Tensor, formats: Mapping[str, str]) -> int:
        name = formats.get(tensor.name)
        return tensor.bytes if name is None else FORMATS.get(name).tensor_bytes(tensor.dims)

    def _refuse_quantized(self, *, forced: bool) -> None:
        if not self.changeable:
            raise UsageError(f"{self.path} has no tensor that can be quantized", hint="give a model with its weights")
        lossy = sorted({one.format for one in self.changeable if one.format not in _FULL})
        if lossy == ["Q8_0"]:
            self.warnings = ("the base is Q8_0 and not what was trained: what it lost already is in no figure here",)
        elif lossy and not forced:
            raise UsageError(
                f"{self.path} is quantized already: {', '.join(lossy)}",
                hint="start from F32, F16, BF16 or Q8_0: quantizing twice loses twice; --force does it all the same",
            )
        elif lossy:
            self.warnings = (
                f"the base is quantized already ({', '.join(lossy)}): its own losses are in no figure here",
            )


def refuse_speechless(path: str, shape: ModelShape) -> None:
    """Take language models alone: of others nothing here could tell what they lose.

    Raises:
        UsageError: it predicts no tokens.
    """
    if shape.kind == "embedding":
        raise UsageError(
            f"{path} is an embedding model: it predicts no tokens, by which a loss would be told",
            hint="give a language model; for this one compare what it finds, with Q8_0 from llama-quantize",
        )
    if shape.kind != "text":
        raise UsageError(f"{path} is of the kind {shape.kind}, no language model", hint="give the model itself")


def differing(formats: Mapping[str, str], base: Base) -> dict[str, str]:
    """Only the tensors that do not keep their format."""
    return {one.name: formats[one.name] for one in base.changeable if formats.get(one.name, one.format) != one.format}
