"""A model at its real size without its weights: a GGUF file that runs, full of random numbers.

For sizing a device before anything is downloaded: the file takes the same bytes on disk and in memory as the model, an
engine loads it and computes with it, at the same speed. What it writes is gibberish.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from io import BytesIO
from pathlib import Path

import msgspec

from memfit.errors import UsageError
from memfit.model._fabricate.blueprint import Blueprint, VocabularyChoice, draw
from memfit.model._fabricate.stream import RandomTensors
from memfit.model.gguf.writer import write_header
from memfit.model.new_file import Progress, new_file
from memfit.model.shape import Tensor, Tokenizer

_MOST_SEED = 2**63 - 1


class FormatShare(msgspec.Struct, frozen=True, kw_only=True):
    """The tensors of one format, and their bytes without padding."""

    format: str
    tensors: int
    bytes: int


class Fallback(msgspec.Struct, frozen=True, kw_only=True):
    """Tensors whose rows the wanted format does not divide, and what they have instead, as the engine's quantizer."""

    wanted: str
    format: str
    tensors: int


class Fabrication(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was made.

    Attributes:
        path: where it lies.
        model: the name that stands in it.
        format: the quantization preset, None where the formats of an existing file were kept.
        layers, layers_whole: in the file and in the whole model, next-token-prediction heads not counted.
        bytes: of the file.
        weights_bytes: of all tensors, without the padding between them.
        vocabulary: what its tokenizer takes, None without one.
        seed: the same seed gives the same bytes.
        sha256: of the file.
        duration_s: that it took to write it, until it had reached the disk.
    """

    path: str
    model: str
    architecture: str
    format: str | None
    parameters: int
    layers: int
    layers_whole: int
    bytes: int
    weights_bytes: int
    formats: tuple[FormatShare, ...]
    fallbacks: tuple[Fallback, ...] = ()
    vocabulary: Tokenizer | None = None
    seed: int
    sha256: str
    duration_s: float
    schema_version: int = 1


def fabricate(
    model: str,
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    seed: int = 0,
    vocabulary: VocabularyChoice = "real",
    layers: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Fabrication:
    """Write a GGUF file with the shape of ``model`` and random weights.

    The numbers are finite, of the size that trained weights have, and not compressible; every page is different. The
    file is written in one piece: under its name there is the whole of it or nothing. Memory stays below 64 MiB.

    Args:
        model: a well-known model, or a GGUF file whose header is taken.
        path: the file to write.
        format: quantization preset; ``Q4_K_M`` for a well-known model, and a file's own formats where None is given.
        seed: 0 and up.
        vocabulary: ``real``: a made-up one of the model's kind and size (a file's own where it has one); ``none``: the
            engine takes tokens by number only.
        layers: only so many of the model's layers.
        overwrite: a file of that name may be replaced.
        progress: called with bytes written and bytes in all.

    Raises:
        UnknownName: no such model or preset; the hint names the nearest.
        UsageError: a file of that name, too many layers, a preset that the engine cannot make of this model.
        ModelError: a file that cannot be read.
        MemfitError: no folder, no space, or the disk fails.
    """
    if not 0 <= seed <= _MOST_SEED:
        raise UsageError(f"a seed of {seed}", hint=f"0 to {_MOST_SEED}")
    began = time.monotonic()
    path = Path(path)
    plan = draw(model, format=format, vocabulary=vocabulary, layers=layers, seed=seed)
    if path.exists() and any(path.samefile(source) for source in plan.sources):
        raise UsageError(f"{path} is the model itself", hint="give --out another name: its weights would be lost")
    header = _header(plan)
    size = len(header) + sum(_padded(tensor, plan) for tensor in plan.tensors)
    with new_file(path, size, overwrite=overwrite, progress=progress) as file:
        file.write(header)
        del header
        numbers = RandomTensors(seed)
        for tensor in plan.tensors:
            for chunk in numbers.chunks(tensor):
                file.write(chunk)
            file.write(bytes(_padded(tensor, plan) - tensor.bytes))
        digest = file.keep()
    return _recorded(plan, path, size, seed, digest, time.monotonic() - began)


def _header(plan: Blueprint) -> bytes:
    buffer = BytesIO()
    tensors = [(tensor.name, tensor.dims, tensor.format) for tensor in plan.tensors]
    write_header(buffer, plan.metadata, tensors, alignment=plan.alignment)
    return buffer.getvalue()


def _padded(tensor: Tensor, plan: Blueprint) -> int:
    return -(-tensor.bytes // plan.alignment) * plan.alignment


def _recorded(plan: Blueprint, path: Path, size: int, seed: int, digest: str, duration_s: float) -> Fabrication:
    counts: Counter[str] = Counter(tensor.format for tensor in plan.tensors)
    totals: Counter[str] = Counter()
    for tensor in plan.tensors:
        totals[tensor.format] += tensor.bytes
    replaced = Counter((choice.wanted, choice.format) for choice in plan.fallbacks)
    return Fabrication(
        path=str(path),
        model=plan.name,
        architecture=plan.architecture,
        format=plan.format,
        parameters=sum(tensor.elements for tensor in plan.tensors),
        layers=plan.layers,
        layers_whole=plan.layers_whole,
        bytes=size,
        weights_bytes=sum(totals.values()),
        formats=tuple(
            FormatShare(format=name, tensors=counts[name], bytes=total) for name, total in totals.most_common()
        ),
        fallbacks=tuple(
            Fallback(wanted=wanted or "", format=form, tensors=count)
            for (wanted, form), count in sorted(replaced.items(), key=lambda item: (item[0][0] or "", item[0][1]))
        ),
        vocabulary=plan.tokenizer,
        seed=seed,
        sha256=digest,
        duration_s=duration_s,
    )
