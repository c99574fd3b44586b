"""A model written in other formats: streamed tensor by tensor, under its name only when it is whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from memfit.engine.predictions import Place
from memfit.engine.workbench import Workbench
from memfit.errors import UsageError
from memfit.model.new_file import Progress, new_file
from memfit.precision.formats import FORMATS
from memfit.search.base import Base

_PIECE_BYTES = 1 << 22


def write(
    bench: Workbench,
    base: Base,
    formats: Mapping[str, str],
    path: Path,
    *,
    plain: bool = False,
    replaced: Mapping[str, Place] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    expected: str | None = None,
) -> str:
    """Write ``base`` with these formats; tensors that are not named keep theirs. Returns the file's SHA-256.

    The same formats, numbers, importances and moments give the same bytes; ``plain``: those that llama-quantize would
    write. ``replaced`` are weights that were trained for these formats: the file is as long as without them. With
    another SHA-256 than ``expected`` it is not kept. Memory: some 64 MiB, whatever the model.

    Raises:
        UsageError: the file exists, or is the base.
        EngineFailed: the engine fails, or a weight is not finite.
        MemfitError: no space, or the disk fails; nothing is left of it.
    """
    refuse_base(path, base)
    size = base.file_bytes(formats)
    with new_file(path, size, overwrite=overwrite, progress=progress) as file:
        file.write(base.new_header(formats))
        tensors = [(one, formats.get(one.name, one.format)) for one in base.shape.tensors]
        left = [FORMATS.get(name).tensor_bytes(one.dims) for one, name in tensors]
        at = 0
        for piece in bench.encode(tensors, plain=plain, replaced=replaced):
            file.write(piece)
            left[at] -= len(piece)
            if not left[at]:
                one, name = tensors[at]
                file.write(bytes(base.padding(FORMATS.get(name).tensor_bytes(one.dims))))
                at += 1
        return file.keep() if expected in (None, file.sha256()) else file.sha256()


def copy(
    made: Path,
    path: Path,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
    first: Callable[[str], object] = lambda _digest: None,
) -> str:
    """A file that was made before, under its name; returns its SHA-256.

    ``first`` is told it, and done before the file has its name and after all of it is written: for what lies beside it.

    Raises:
        UsageError, MemfitError: as ``write``.
    """
    with made.open("rb") as source, new_file(path, made.stat().st_size, overwrite=overwrite, progress=progress) as file:
        while piece := source.read(_PIECE_BYTES):
            file.write(piece)
        first(file.sha256())
        return file.keep()


def refuse_base(path: Path, base: Base) -> None:
    """Raises:
    UsageError: the file is one of the base's own.
    """
    if path.exists() and any(path.samefile(shard.path) for shard in base.shape.shards):
        raise UsageError(f"{path} is the base itself", hint="give --out another name: its weights would be lost")
