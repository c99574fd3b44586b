"""A base's predictions kept in a file, so that others can be held against them where the base does not fit.

The file is a zip: the workbench's arrays, and what they are of. A token takes less than a hundredth of what
llama-perplexity's file takes (two bytes for each entry of the vocabulary): the likeliest ids and some drawn from the
rest, which gives divergences without bias (see ``_child/scores.py``).
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from memfit.engine.predictions import Scored
from memfit.engine.workbench import Workbench
from memfit.errors import EngineFailed, MemfitError, ModelError, UsageError
from memfit.model.new_file import new_file
from memfit.model.shape import ModelShape
from memfit.search.text import Passage

_ARRAYS, _ABOUT = "arrays.npz", "about.json"
Said = Callable[[str, int, int], None]
_SHARE = 100  # llama-perplexity's file takes so many times as much
_FIXED_BYTES = 6  # of a token beside its ids: what comes, in four, and the rest's probability, in two
_MOST_ENTRIES = 400
_DRAWN_SHARE = 3  # one of so many entries is drawn and not one of the likeliest


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a reference is of."""

    model: str
    architecture: str
    parameters: int
    vocabulary_tokens: int
    text_sha256: str
    text_name: str
    window_tokens: int
    first: int
    engine: str
    schema_version: int = 1


def entries(vocabulary_tokens: int) -> tuple[int, int]:
    """How many ids to keep of a token's predictions: likeliest, and drawn."""
    entry = 4 if vocabulary_tokens <= 1 << 16 else 6  # an id, and a half float
    room = vocabulary_tokens * 2 // _SHARE - _FIXED_BYTES
    most = max(4, min(_MOST_ENTRIES, room // entry))
    drawn = max(1, most // _DRAWN_SHARE)
    return most - drawn, drawn


def find(path: str | None) -> Path | None:
    """The path if it is a reference, None if it is something else."""
    if path is None or not Path(path).is_file() or not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as found:
        return Path(path) if _ABOUT in found.namelist() else None


def refuse(path: Path, *, read: Sequence[str], overwrite: bool) -> None:
    """Whether a reference finds its name free.

    Args:
        path: of the reference.
        read: files that are read for it.
        overwrite: another file of that name may be replaced.

    Raises:
        UsageError: the file is there and may not be replaced, or its folder is not.
    """
    if path.exists() and any(path.samefile(one) for one in read if Path(one).exists()):
        raise UsageError(f"{path} is read for it", hint="give --keep-reference another name: it would be lost")
    if path.is_dir():
        raise UsageError(f"{path} is a folder", hint="give the file a name of its own")
    if not path.resolve().parent.is_dir():
        raise UsageError(f"no such folder: {path.resolve().parent}", hint="make it first: mkdir -p")
    if path.exists() and not overwrite:
        raise UsageError(f"{path} exists", hint="choose another name, or give --overwrite")


def use(
    path: Path, bench: Workbench, shape: ModelShape, passage: Passage, window_tokens: int, windows: list[int]
) -> list[int]:
    """Give the workbench a reference as ``kept``; returns the windows that both have.

    Raises:
        UsageError: it is of another vocabulary, another text or other windows.
        ModelError: it is damaged.
    """
    with zipfile.ZipFile(path) as found:
        try:
            about = msgspec.json.decode(found.read(_ABOUT), type=About)
            arrays = found.read(_ARRAYS)
        except (msgspec.MsgspecError, KeyError, zipfile.BadZipFile, OSError) as failure:
            raise ModelError(f"is no whole reference: {failure}", file=str(path), hint="make it again") from failure
    if about.vocabulary_tokens != shape.vocabulary_tokens:
        raise UsageError(
            f"{path} is of {about.model} with {about.vocabulary_tokens} tokens, {shape.name} knows"
            f" {shape.vocabulary_tokens}",
            hint="only models of one vocabulary can be held against each other: give one of its base",
        )
    if about.text_sha256 != passage.sha256 or about.window_tokens != window_tokens:
        raise UsageError(
            f"{path} is of {about.text_name}, in windows of {about.window_tokens} tokens",
            hint="give the same text (--text) and --window",
        )
    with tempfile.TemporaryDirectory(prefix="memfit-") as folder:
        place = Path(folder) / _ARRAYS
        place.write_bytes(arrays)
        try:
            there = set(bench.take_reference("kept", place))
        except EngineFailed as failure:
            raise ModelError("is no whole reference", file=str(path), hint="make it again") from failure
    return [index for index in windows if index in there]


def gather(bench: Workbench, windows: list[int], shape: ModelShape, *, first: int, said: Said) -> Scored:
    """Sample the predictions of the workbench's base; what it made of the windows itself."""
    likeliest, drawn = entries(shape.vocabulary_tokens)
    found = []
    for one in bench.reference("own", windows, first=first, likeliest=likeliest, drawn=drawn):
        found.append(one)
        said("keeping", len(found), len(windows))
    return Scored(windows=tuple(found))


def keep(
    path: Path,
    bench: Workbench,
    passage: Passage,
    shape: ModelShape,
    *,
    window_tokens: int,
    first: int,
    overwrite: bool,
) -> None:
    """Write what was gathered.

    Raises:
        UsageError, MemfitError: as ``new_file``.
    """
    about = About(
        model=Path(shape.shards[0].path).name,
        architecture=shape.architecture,
        parameters=shape.parameters,
        vocabulary_tokens=shape.vocabulary_tokens,
        text_sha256=passage.sha256,
        text_name=passage.name,
        window_tokens=window_tokens,
        first=first,
        engine=bench.engine,
    )
    with tempfile.TemporaryDirectory(prefix="memfit-") as folder:
        arrays, whole = Path(folder) / _ARRAYS, Path(folder) / "whole"
        bench.keep_reference("own", arrays)
        try:
            with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as file:
                file.writestr(_ABOUT, msgspec.json.encode(about))
                file.write(arrays, _ARRAYS)
        except OSError as failure:
            raise MemfitError(f"cannot write {path}: {failure.strerror}", hint="free some space") from failure
        data = whole.read_bytes()
    with new_file(path, len(data), overwrite=overwrite) as made:
        made.write(data)
        made.keep()
