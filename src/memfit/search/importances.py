"""Importances as a file that llama-quantize takes too: means of squares by column, in llama.cpp's imatrix format.

The format is that of ``IMatrixCollector::save_imatrix`` (tools/imatrix/imatrix.cpp, 0c1e57098): for every weight
``NAME.in_sum2`` and ``NAME.counts``. Means are written with a count of one, so that they are read back to the bit.
Second moments lie beside them as ``NAME.moments``, those of gradients as ``NAME.gradients``, and
``memfit.moments_of.NAME`` names the weight whose moments a weight shares: llama-quantize ignores tensors and keys that
it does not know (``load_imatrix``, tools/quantize/quantize.cpp, 0c1e57098).
"""

from __future__ import annotations

import hashlib
import importlib
import math
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec

from memfit.engine.workbench import Workbench
from memfit.errors import Malformed, MemfitError, ModelError, UsageError
from memfit.model.gguf import read_header
from memfit.model.gguf.writer import Typed, Writable, write_header
from memfit.model.new_file import new_file
from memfit.search.base import Base
from memfit.search.network import read_shape
from memfit.search.text import Split

_ALIGNMENT = 32
# as the workbench names them in its own file
_MOMENTS, _SHARED, _GRADIENTS = ".moments", ".moments_of", ".gradients"
# what the workbench needs to know of a network
_NETWORK = ("layers", "heads", "kv_heads", "rope_channels", "rope_base", "neox", "epsilon")
_SHARED_KEY = "memfit.moments_of."


def gather(bench: Workbench, base: Base, split: Split, said: Callable[[str, int, int], None]) -> None:
    """Learn on the workbench what columns count for, and rows, where the network is one that is computed here."""
    for done, _ in enumerate(bench.importance(split.importance), 1):
        said("weighing columns", done, len(split.importance))
    try:
        network = msgspec.structs.asdict(read_shape(base.header))
    except (UsageError, Malformed):
        return
    for done in bench.gradients(split.gradients, {name: network[name] for name in _NETWORK}):
        said("weighing rows", done + 1, 2 * network["layers"])


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
            elif name.endswith((_MOMENTS, _GRADIENTS)):
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


def take(path: Path, kept: Path) -> str:
    """Read an imatrix file into one of the workbench's; returns its SHA-256.

    Raises:
        ModelError: it is none, or damaged.
    """
    numpy = _numpy()
    header = read_header(path)
    data = path.read_bytes()
    where = {tensor.name: tensor for tensor in header.tensors}

    def values(name: str) -> Any:
        tensor = where.get(name)
        if tensor is None or tensor.format != "F32":
            raise ModelError(f"no floats {name}", file=str(path), hint="give a file that llama-imatrix wrote as GGUF")
        count = math.prod(tensor.dims)
        return numpy.frombuffer(data, numpy.float32, count, header.data_offset + tensor.offset)

    arrays = {}
    for name in where:
        if name.endswith(".in_sum2"):
            weight = name.removesuffix(".in_sum2")
            counts = values(f"{weight}.counts")
            sums = values(name).reshape(len(counts), -1)
            used = counts > 0
            if used.any():
                means = sums / numpy.maximum(counts, 1)[:, None]
                means[~used] = means[used].mean(axis=0)
                arrays[weight] = means.astype(numpy.float32)
        elif name.endswith((_MOMENTS, _GRADIENTS)):
            arrays[name] = values(name).reshape(where[name].dims[::-1])
    if not arrays:
        raise ModelError("holds no importances", file=str(path), hint="give a file that llama-imatrix wrote as GGUF")
    for key, owner in header.metadata.items():
        if key.startswith(_SHARED_KEY):
            arrays[key.removeprefix(_SHARED_KEY) + _SHARED] = numpy.array(str(owner))
    try:
        with kept.open("wb") as file:
            numpy.savez(file, **arrays)
    except OSError as failure:
        raise MemfitError(f"cannot write {kept}: {failure.strerror}", hint="free some space") from failure
    return hashlib.sha256(data).hexdigest()


def _numpy() -> Any:
    return importlib.import_module("numpy")  # comes with llama-cpp-python, which is there where anything is quantized
