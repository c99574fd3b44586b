"""What a search leaves behind: what every tensor got and why, what came nearest, and the record beside the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from memfit.search.base import Base
from memfit.search.choose import RECOVERED, SEARCHED, Mix
from memfit.search.records import Asked, Candidate, Floor, Given, PrecisionMap
from memfit.search.sensitivity import Sensitivity, probe_format


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


def nearest(candidates: Sequence[Candidate], asked: Asked) -> str | None:
    """What comes nearest to holding: by the floor that breaks most, and by bytes where only those break."""
    known = [one for one in candidates if one.quality is not None]
    if not known:
        smallest = min((one for one in candidates if one.bytes), key=lambda one: one.bytes, default=None)
        return None if smallest is None else smallest.name
    return min(known, key=lambda one: (_excess(one, asked.floors), one.bytes)).name


def _excess(one: Candidate, floors: Sequence[Floor]) -> float:
    return max(
        (
            held.measured / floor.most if floor.most else held.measured
            for held, floor in zip(one.held, floors, strict=True)
        ),
        default=0.0,
    )


def beside(out: Path, ending: str) -> Path:
    """The name of what belongs to a file: ``model.gguf`` has its record in ``model.precision.json``."""
    return out.with_name(f"{out.stem}.{ending}")


def keep_record(found: PrecisionMap, path: Path) -> None:
    """Write the record, whole or not at all."""
    fresh = path.with_name(f".{path.name}.partial")
    try:
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
