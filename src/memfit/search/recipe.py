"""A file made again from its record, bit for bit: the same base, the same importances, the same formats."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from memfit.engine.workbench import Workbench
from memfit.errors import ModelError, UsageError
from memfit.precision.formats import FORMATS
from memfit.search import importances
from memfit.search.base import Base
from memfit.search.choose import SEARCHED
from memfit.search.records import PrecisionMap
from memfit.search.write import write

_RECORD, _IMPORTANCES = ".precision.json", ".imatrix.gguf"
_WHOLE = "give the record as memfit quantize wrote it"


def read_record(path: str) -> PrecisionMap:
    """The record of a search.

    Raises:
        UsageError: it cannot be read, or is none.
    """
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=PrecisionMap)
    except OSError as failure:
        raise UsageError(f"{path}: {failure.strerror or failure}", hint="give a .precision.json") from failure
    except msgspec.MsgspecError as failure:
        raise UsageError(
            f"{path} is no record of memfit quantize: {failure}", hint="give the .precision.json beside its file"
        ) from failure


def remake(
    path: str,
    model: str,
    out: str | None,
    *,
    overwrite: bool = False,
    threads: int | None = None,
    said: Callable[[str, int, int], None] = lambda _what, _done, _total: None,
) -> PrecisionMap:
    """Make the file of a record again.

    Raises:
        UsageError: another base, no importances beside the record, no name for the result, or a record without a file.
        ModelError: the result differs, which another version of the engine explains; nothing is left of it.
    """
    record = read_record(path)
    if out is None:
        raise UsageError("--recipe without --out", hint="say where the file goes")
    if record.sha256 is None or not record.tensors:
        raise UsageError(f"{path} made no file: nothing held", hint="search again with another floor")
    if record.recovered is not None:
        raise UsageError(
            f"{path} is of recovered weights, which no recipe holds",
            hint="the same command with --recover trains them again; the file itself is what to keep",
        )
    base = Base(model, forced=True)
    if base.sha256() != record.model_sha256:
        raise UsageError(
            f"{model} is not the base of {path}",
            hint=f"that was {record.model}, SHA-256 {(record.model_sha256 or '')[:16]}…",
        )
    beside = Path(path).with_name(Path(path).name.removesuffix(_RECORD) + _IMPORTANCES)
    if not beside.is_file():
        raise UsageError(f"no importances: {beside} is not there", hint="it was written beside the record")
    formats = _formats(record, base, path)
    with Workbench(base.shape, threads=threads) as bench, tempfile.TemporaryDirectory(prefix="memfit-") as folder:
        kept = Path(folder) / "importance.npz"
        if importances.take_for(base, beside, kept) != record.importance_sha256:
            raise UsageError(f"{beside} is not what {path} was made with", hint="keep both files together")
        bench.take_importance(kept)
        _refuse_unweighted(formats, bench.important, path)
        digest = write(
            bench,
            base,
            formats,
            Path(out),
            plain=record.chosen != SEARCHED,
            overwrite=overwrite,
            progress=lambda done, total: said("writing", done, total),
            expected=record.sha256,
        )
        engine = bench.engine
    if digest != record.sha256:
        same = "the record was changed, or the machine computes differently"
        other = f"it was made with {record.engine}, this is {engine}: install that version"
        raise ModelError(
            "came out differently than before, and was not kept",
            file=out,
            hint=same if engine == record.engine else other,
        )
    return msgspec.structs.replace(record, model=model, out=out)


def _formats(record: PrecisionMap, base: Base, path: str) -> dict[str, str]:
    """What the record gives to tensors that do not keep their format.

    Raises:
        UsageError: the base has no such tensor, or it cannot be stored like that.
    """
    known = {one.name: one for one in base.changeable}
    formats = {}
    for one in record.tensors:
        if one.format not in FORMATS:
            raise UsageError(f"{path}, tensors: {one.name} has the unknown format {one.format!r}", hint=_WHOLE)
        if one.name not in known or known[one.name].dims[0] % FORMATS.get(one.format).block_elements:
            raise UsageError(f"{path}, tensors: {one.name} cannot be {one.format} in {base.path}", hint=_WHOLE)
        if one.format != known[one.name].format:
            formats[one.name] = one.format
    return formats


def _refuse_unweighted(formats: dict[str, str], important: frozenset[str], path: str) -> None:
    for name, format in formats.items():
        if FORMATS.get(format).needs_imatrix and name not in important:
            raise UsageError(f"{path}, tensors: {name} cannot be {format} without its importances", hint=_WHOLE)
