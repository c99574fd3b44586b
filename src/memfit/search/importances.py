"""Importances as a file that llama-quantize takes too: means of squares by column, in llama.cpp's imatrix format.

The format is that of ``IMatrixCollector::save_imatrix`` (tools/imatrix/imatrix.cpp, 0c1e57098): for every weight
``NAME.in_sum2`` and ``NAME.counts``. Means are written with a count of one, so that they are read back to the bit.
Second moments lie beside them as ``NAME.moments``, those of gradients as ``NAME.gradients``, what makes another of
the head before it is stored as ``NAME.balance``, and
``memfit.moments_of.NAME`` names the weight whose moments a weight shares: llama-quantize ignores tensors and keys that
it does not know (``load_imatrix``, tools/quantize/quantize.cpp, 0c1e57098).
"""

from __future__ import annotations

import hashlib
import importlib
import math
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from memfit.engine.workbench import Workbench
from memfit.errors import Malformed, MemfitError, ModelError, NotAModel, UsageError
from memfit.model.gguf import read_header
from memfit.model.gguf.writer import Typed, Writable, write_header
from memfit.model.new_file import new_file
from memfit.model.shape import Tensor
from memfit.search.base import Base
from memfit.search.network import Shape, read_shape
from memfit.search.text import Split

_ALIGNMENT = 32
_LEGACY = "llama-imatrix --in-file OLD.dat -o NEW.gguf makes one of the older kind"
_GGUF = "give a file that llama-imatrix wrote as GGUF, of this model"
# as the workbench names them in its own file
_MOMENTS, _SHARED, _GRADIENTS, _BALANCE = ".moments", ".moments_of", ".gradients", ".balance"
_HEAD = "output.weight"  # the only weight that is balanced
# what the workbench needs to know of a network
_NETWORK = ("layers", "heads", "kv_heads", "rope_channels", "rope_base", "neox", "epsilon")
# of a head's columns, and its inverse is the greatest; what is taken from them is of the size of weights
_LEAST_FACTOR, _MOST_TAKEN = 1e-3, 1e3
_SHARED_KEY = "memfit.moments_of."


def gather(bench: Workbench, base: Base, split: Split, said: Callable[[str, int, int], None]) -> None:
    """Learn on the workbench what columns count for, and rows, where the network is one that is computed here."""
    network = _network(base)
    for done, _ in enumerate(bench.importance(split.importance), 1):
        said("weighing columns", done, len(split.importance))
    if network is None:
        return
    for done in bench.gradients(split.gradients, {name: getattr(network, name) for name in _NETWORK}):
        said("weighing rows", done + 1, 2 * network.layers)


def export(kept: Path, path: Path, *, text: str, overwrite: bool) -> str:
    """Write what the workbench kept as an imatrix file; returns its SHA-256.

    Args:
        kept: the workbench's file.
        path: the file to write.
        text: name of the text they are of.
        overwrite: a file of that name may be replaced.

    Raises:
        UsageError, MemfitError: as ``new_file``.
    """
    numpy = _numpy()
    metadata: dict[str, Writable] = {
        "general.type": "imatrix",
        "imatrix.datasets": Typed("str", (text,)),
        "imatrix.chunk_count": 1,
        "imatrix.chunk_size": 1,
    }
    with numpy.load(kept) as found:
        tensors = []
        for name in sorted(name for name in found.files if "|" not in name):  # what is rounded is not importance
            content = found[name]
            if name.endswith(_SHARED):
                metadata[_SHARED_KEY + name.removesuffix(_SHARED)] = str(content)
            elif name.endswith((_MOMENTS, _GRADIENTS, _BALANCE)):
                tensors.append((name, content.shape[::-1], content))
            else:
                ones = numpy.ones((len(content), 1), numpy.float32)
                tensors.append((f"{name}.in_sum2", content.shape[::-1], content.astype(numpy.float32)))
                tensors.append((f"{name}.counts", (1, len(content)), ones))
    head = BytesIO()
    extent = write_header(head, metadata, [(name, dims, "F32") for name, dims, _ in tensors])
    with new_file(path, extent.file_bytes, overwrite=overwrite) as file:
        file.write(head.getvalue())
        for _, _, values in tensors:
            file.write(values.tobytes() + bytes(-values.nbytes % _ALIGNMENT))
        return file.keep()


def _network(base: Base) -> Shape | None:
    """The base's, None where it is none that is computed here."""
    try:
        return read_shape(base.header)
    except (UsageError, Malformed):
        return None


def digest(path: Path) -> str:
    """SHA-256 of a file.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as failure:
        raise ModelError(
            f"cannot be read: {failure.strerror}", file=str(path), hint="give an imatrix file"
        ) from failure


def take_for(base: Base, path: Path, kept: Path) -> str:
    """``take`` of a base's weights, and how its head is balanced where it is of a network that is known."""
    return take(path, kept, base.changeable, balanced=_network(base) is not None)


def take(path: Path, kept: Path, tensors: Sequence[Tensor], *, balanced: bool = False) -> str:
    """Read an imatrix file into one of the workbench's; returns its SHA-256.

    What it holds of other weights than ``tensors`` is left out. ``balanced``: how the head is balanced is taken too.

    Raises:
        ModelError: it is none, is damaged, or is of another model.
    """
    numpy = _numpy()
    given = _Given(path)
    arrays: dict[str, Any] = {}
    for weight in tensors:
        arrays |= given.importances(weight)
    if not arrays:
        raise ModelError("holds no importances of this model's weights", file=str(path), hint=_GGUF)
    for weight in tensors:
        arrays |= given.moments(weight)
        if balanced and weight.name == _HEAD and _HEAD in arrays:
            arrays |= given.balance(weight)
    columns = {one.name: one.dims[0] for one in tensors}
    for key, value in given.header.metadata.items():
        name, owner = key.removeprefix(_SHARED_KEY), str(value)
        if key.startswith(_SHARED_KEY) and columns.get(name, 0) == columns.get(owner):
            arrays[name + _SHARED] = numpy.array(owner)
    try:
        with kept.open("wb") as file:
            numpy.savez(file, **arrays)
    except OSError as failure:
        raise MemfitError(f"cannot write {kept}: {failure.strerror}", hint="free some space") from failure
    return hashlib.sha256(given.data).hexdigest()


class _Given:
    """An imatrix file, asked for what it has of a weight."""

    def __init__(self, path: Path) -> None:
        try:
            self.header = read_header(path)
        except NotAModel as failure:
            raise ModelError("is no imatrix file in GGUF", file=str(path), hint=_LEGACY) from failure
        self.data = path.read_bytes()
        self._path = str(path)
        self._where = {tensor.name: tensor for tensor in self.header.tensors}

    def importances(self, weight: Tensor) -> dict[str, Any]:
        """Mean squares by column, as the workbench names them; experts that no token was sent to have others' mean."""
        if f"{weight.name}.in_sum2" not in self._where:
            return {}
        numpy = _numpy()
        sums, counts = self._values(f"{weight.name}.in_sum2"), self._values(f"{weight.name}.counts")
        matrices = len(sums) // weight.dims[0]
        if len(sums) % weight.dims[0] or matrices not in (1, math.prod(weight.dims[2:])):
            raise self._other(weight, f"{len(sums)} importances")
        if len(counts) not in (1, matrices):
            raise self._other(weight, f"{len(counts)} counts")
        if (counts < 0).any() or (sums < 0).any():
            raise ModelError(f"{weight.name} has importances below zero", file=self._path, hint=_GGUF)
        counts = numpy.broadcast_to(counts, matrices)
        used = counts > 0
        if not used.any():
            return {}
        means = sums.reshape(matrices, -1) / numpy.maximum(counts, 1)[:, None]
        means[~used] = means[used].mean(axis=0)
        found = {weight.name: means.astype(numpy.float32)}
        return found if used.all() else found | {f"{weight.name}|idle": numpy.array(int((~used).sum()))}

    def moments(self, weight: Tensor) -> dict[str, Any]:
        """Second moments of what it is multiplied with, and of gradients at what it gives; where memfit wrote them."""
        found = {}
        for name, side in ((weight.name + _MOMENTS, weight.dims[0]), (weight.name + _GRADIENTS, weight.dims[1])):
            if name not in self._where:
                continue
            dims = self._where[name].dims
            if len(dims) != 3 or dims[0] != dims[1] or dims[1] * dims[2] != side:
                raise self._other(weight, f"moments of {_product(dims)}")
            found[name] = self._values(name).reshape(dims[::-1])
        return found

    def balance(self, weight: Tensor) -> dict[str, Any]:
        """Factors of its columns, and what is taken from them before, (2, columns); where memfit wrote it."""
        name = weight.name + _BALANCE
        if name not in self._where:
            return {}
        found = self._values(name)
        if len(found) != 2 * weight.dims[0]:
            raise self._other(weight, f"{len(found)} numbers of a balance")
        found = found.reshape(2, -1)
        factors, taken = found
        if (factors < _LEAST_FACTOR).any() or (factors > 1 / _LEAST_FACTOR).any() or (abs(taken) > _MOST_TAKEN).any():
            raise ModelError(f"{name} holds numbers beyond all that are fitted", file=self._path, hint=_GGUF)
        return {name: found}

    def _values(self, name: str) -> Any:
        numpy = _numpy()
        tensor = self._where.get(name)
        if tensor is None or tensor.format != "F32":
            raise ModelError(f"no floats {name}", file=self._path, hint=_GGUF)
        start = self.header.data_offset + tensor.offset  # whether all is there was seen with the header
        found = numpy.frombuffer(self.data, numpy.float32, math.prod(tensor.dims), start)
        if not numpy.isfinite(found).all():
            raise ModelError(f"{name} holds numbers that are not finite", file=self._path, hint=_GGUF)
        return found

    def _other(self, weight: Tensor, what: str) -> ModelError:
        return ModelError(
            f"{weight.name} has {what}, and is {_product(weight.dims)} in the base",
            file=self._path,
            hint="give importances that were gathered with this model",
        )


def _product(dims: Sequence[int]) -> str:
    return " × ".join(map(str, dims))


def _numpy() -> Any:
    return importlib.import_module("numpy")  # comes with llama-cpp-python, which is there where anything is quantized
