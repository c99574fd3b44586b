"""Every preset from the baseline down, as llama-quantize would make it with the same importances."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from memfit.errors import UsageError
from memfit.model._build import mixed
from memfit.precision.presets import PRESETS
from memfit.search.base import Base, differing
from memfit.search.choose import Mix, candidate
from memfit.search.records import Candidate, Floor
from memfit.search.session import Session

# presets of formats that are read by few programs or need training of their own: on the ladder only when asked for
_APART = ("TQ1_0", "TQ2_0", "Q1_0", "Q2_0", "MXFP4_MOE", "NVFP4", "F32")


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """A preset on this model: its mix, or why there is none."""

    preset: str
    mix: Mix | None = None
    fallbacks: int = 0
    why_not: str | None = None


def rungs(base: Base, important: frozenset[str], names: Sequence[str] = ()) -> list[Rung]:
    """Presets by the bytes that they take, most first; those that are no smaller than the base are left out."""
    found = []
    for name in names or [one.name for one in PRESETS if one.name not in _APART]:
        preset = PRESETS.get(name)
        if not preset.recipe:
            continue
        try:
            mix = mixed(base.shape, preset.name, has_imatrix=True)
        except UsageError as refusal:
            found.append(Rung(preset=preset.name, why_not=refusal.message))
            continue
        lacking = [one.name for one in mix.choices if one.needs_imatrix and one.name not in important]
        if lacking:
            found.append(Rung(preset=preset.name, why_not=f"it needs an importance of {lacking[0]}"))
            continue
        formats = differing(mix.formats, base)
        if not formats and preset.name not in ("F16", "BF16"):
            continue
        size = base.file_bytes(formats)
        if size >= base.whole_bytes and formats:
            continue
        found.append(
            Rung(
                preset=preset.name,
                mix=Mix(formats=formats, bytes=size),
                fallbacks=len(mix.fallbacks),
            )
        )
    distinct: dict[str, Rung] = {}
    for one in found:
        key = one.preset if one.mix is None else str(sorted(one.mix.formats.items()))
        distinct.setdefault(key, one)
    return sorted(distinct.values(), key=lambda one: -(one.mix.bytes if one.mix else 0))


def measured(session: Session, found: Sequence[Rung], floors: Sequence[Floor]) -> Iterator[Candidate]:
    """Each rung made and measured, on text that nothing was chosen by."""
    for one in found:
        if one.mix is None:
            yield Candidate(name=one.preset, bytes=0, why_not=one.why_not)
        else:
            figures = session.measure(one.mix.formats, unseen=True, full=True, plain=True)
            yield candidate(one.preset, one.mix, figures, floors, one.fallbacks)
