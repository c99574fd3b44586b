"""What a search leaves behind: what every tensor got and why, what came nearest, and the record beside the file."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from memfit.errors import UsageError
from memfit.model.new_file import new_file
from memfit.search import importances
from memfit.search.base import Base
from memfit.search.choose import RECOVERED, SEARCHED, Mix
from memfit.search.records import Asked, Candidate, Given, PrecisionMap
from memfit.search.sensitivity import Sensitivity, probe_format
from memfit.search.session import Said, Session
from memfit.search.speed import slowness
from memfit.search.write import copy, refuse_base


def given(base: Base, mix: Mix, sensitivity: Sensitivity | None, best: Candidate | None) -> tuple[Given, ...]:
    """What every tensor that may change got, in the file's order."""
    total = sum(filter(None, (_cost(sensitivity, base, mix, one.name) for one in base.changeable))) or 1.0
    found = []
    for tensor in base.changeable:
        format = mix.formats.get(tensor.name, tensor.format)
        cost = _cost(sensitivity, base, mix, tensor.name)
        probed = None if sensitivity is None else sensitivity.probed(tensor)
        if best is not None and best.name not in (SEARCHED, RECOVERED):
            why = f"as {best.name} has it"
        elif format == tensor.format:
            why = "kept: no smaller format was worth its bytes"
        else:
            why = f"{cost / total:.1%} of the predicted divergence" if cost is not None else "not measured"
        found.append(
            Given(
                name=tensor.name,
                dims=tensor.dims,
                before=tensor.format,
                format=format,
                bytes=base.tensor_bytes(tensor, format),
                divergence=cost or 0.0,
                probed=probed,
                probe_format=None if probed is None else probe_format(tensor),
                why=why,
            )
        )
    return tuple(found)


def _cost(sensitivity: Sensitivity | None, base: Base, mix: Mix, name: str) -> float | None:
    if sensitivity is None:
        return None
    tensor = next(one for one in base.changeable if one.name == name)
    return sensitivity.predict(tensor, mix.formats.get(name, tensor.format))


def nearest(candidates: Sequence[Candidate], asked: Asked) -> Candidate | None:
    """What comes nearest to holding: by the floor, speed or budget that it misses most; of equals the fewest bytes."""
    known = [one for one in candidates if one.quality is not None]
    if not known:
        return min((one for one in candidates if one.bytes), key=lambda one: one.bytes, default=None)
    return min(known, key=lambda one: (_excess(one, asked), one.bytes))


def _excess(one: Candidate, asked: Asked) -> float:
    shares = [
        held.measured / floor.most if floor.most else held.measured
        for held, floor in zip(one.held, asked.floors, strict=True)
    ]
    bytes_share = one.bytes / asked.max_bytes if asked.max_bytes else 0.0
    return max([1.0, slowness(one, asked), bytes_share, *shares])  # what holds is as near as it can be


def beside(out: Path, ending: str) -> Path:
    """The name of what belongs to a file: ``model.gguf`` has its record in ``model.precision.json``."""
    return out.with_name(f"{out.stem}.{ending}")


def leave(
    session: Session, found: PrecisionMap, made: Path, *, text: str | None, overwrite: bool, said: Said, began: float
) -> PrecisionMap:
    """Give the file its name ``found.out``, which it gets last: its importances and its record lie there already.

    Args:
        session: that found it.
        found: the record, without digests.
        made: the file, elsewhere.
        text: name of the text that importances are of.
        overwrite: a file of that name may be replaced.
        said: told about progress.
        began: when, by the monotonic clock.

    Raises:
        UsageError, MemfitError: as ``new_file``; the file is not there then.
    """
    out = Path(found.out or "")
    kept, staged = session.notes.place("importance.npz"), session.notes.place(f"importance-{os.getpid()}.gguf")
    whole = [found]
    fresh = [path for path in (beside(out, "precision.json"), beside(out, "imatrix.gguf")) if not path.exists()]

    def first(digest: str) -> None:
        seconds = round(time.monotonic() - began, 1)
        whole[0] = msgspec.structs.replace(found, sha256=digest, importance_sha256=importance, seconds=seconds)
        keep_record(whole[0], beside(out, "precision.json"))
        copy(staged, beside(out, "imatrix.gguf"), overwrite=True)

    try:
        importance = importances.export(kept, staged, text=text or "the bundled sample of memfit", overwrite=True)
        copy(made, out, overwrite=overwrite, progress=partial(said, "writing"), first=first)
    except BaseException:
        for path in fresh:  # of a file that is not there
            path.unlink(missing_ok=True)
        raise
    finally:
        staged.unlink(missing_ok=True)
    return whole[0]


def keep_record(found: PrecisionMap, path: Path) -> None:
    """Write the record, whole or not at all.

    Raises:
        MemfitError: no space, or the disk fails.
    """
    data = msgspec.json.format(msgspec.json.encode(found)) + b"\n"
    with new_file(path, len(data), overwrite=True) as file:
        file.write(data)
        file.keep()


def refuse_out(
    out: Path, base: Base, imatrix: Path | None, *, overwrite: bool, begun: Callable[[PrecisionMap], bool]
) -> None:
    """Whether a result and what belongs beside it find their names free.

    Args:
        out: the file that is to be written.
        base: what it is made of.
        imatrix: importances that were given.
        overwrite: files of these names may be replaced.
        begun: whether a record is of the same question: its search was ended before the file had its name.

    Raises:
        UsageError: a name is taken, is a folder, or lies in none.
    """
    record, importances = beside(out, "precision.json"), beside(out, "imatrix.gguf")
    for path in (out, record, importances):
        refuse_base(path, base)
        if path.is_dir():
            raise UsageError(f"{path} is a folder", hint="give the file a name of its own")
        if imatrix is not None and imatrix.exists() and path.exists() and path.samefile(imatrix):
            raise UsageError(f"{path} would be written over, and --imatrix names it", hint="give --out another name")
    if not out.resolve().parent.is_dir():
        raise UsageError(f"no such folder: {out.resolve().parent}", hint="make it first: mkdir -p")
    if overwrite:
        return
    if out.exists():
        raise UsageError(f"{out} exists", hint="choose another name, or give --overwrite")
    taken = next((path for path in (record, importances) if path.exists()), None)
    if taken is not None and not _begun(record, begun):
        raise UsageError(f"{taken} exists, and belongs beside {out}", hint="choose another name, or give --overwrite")


def _begun(record: Path, begun: Callable[[PrecisionMap], bool]) -> bool:
    try:
        return begun(msgspec.json.decode(record.read_bytes(), type=PrecisionMap))
    except (OSError, msgspec.MsgspecError):
        return False
