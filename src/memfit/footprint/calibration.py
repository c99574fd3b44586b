"""What runs taught: residuals kept as data, and a footprint corrected by them.

Defined here and produced by ``measure``: feedback travels as data, never as an import.

A setting that ran is predicted as it was observed: its terms take what was seen of them, and what no term was seen to
take goes into ``runtime``. A setting that did not run learns from the others only what they agree on, as a shift of
``runtime``. ``high`` is never lowered: that memory was not touched does not mean that it was not reserved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from memfit.engine.records import Part, Profile, Term
from memfit.footprint.filling import Filled, Filling
from memfit.footprint.records import Footprint, Learned
from memfit.footprint.verdict import judge, total
from memfit.units import KIB, MIB

# so many other settings must have run before a setting that did not is shifted by them
LEAST_OTHERS = 5
# the shift must take away at least this share of what they were off by, or it is no rule but chance
LEAST_GAIN = 0.5
# and be more than a page here and there
LEAST_SHIFT_BYTES = 256 * KIB
_NORMAL = 1.4826  # median absolute deviation to standard deviation, of normal errors
_BARS = 3.0  # standard deviations that the error bar is widened by


class TermSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What runs touched of a term; the median of several."""

    name: str
    touched_bytes: int


class Residual(msgspec.Struct, frozen=True, kw_only=True):
    """What one setting showed.

    Attributes:
        setting: digest of all that decides its memory: shape, options, format, profile, what runs beside it.
        model: its name, for people.
        profile: the engine's library or its server, whose processes differ.
        filled, prompt_tokens: how much the prompts filled, see ``Filling``: runs that filled less touched less.
        likely_bytes: what was predicted without calibration.
        observed_bytes: peak PSS of every run, in order.
        unevictable_bytes: the largest that could not be dropped.
        terms: what was touched of those that could be told apart.
        observations: ids in the store they were learned from.
        last: when the newest of them began (UTC, ISO 8601).
    """

    setting: str
    model: str
    profile: Profile = "library"
    filled: Filled = "ubatch"
    prompt_tokens: int = 0
    likely_bytes: int
    observed_bytes: tuple[int, ...]
    unevictable_bytes: int
    terms: tuple[TermSeen, ...] = ()
    observations: tuple[int, ...] = ()
    last: str = ""

    @property
    def filling(self) -> Filling:
        """What its runs filled."""
        return Filling(self.filled, self.prompt_tokens)

    @property
    def typical_bytes(self) -> int:
        """The median run; of an even number the larger of the two in the middle."""
        return sorted(self.observed_bytes)[len(self.observed_bytes) // 2]


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Residuals of one engine on one machine.

    Attributes:
        machine, engine, version, backend: what they hold for, and for nothing else.
        residuals: one for every setting that ran and every way in which it was filled.
    """

    machine: str
    engine: str
    version: str
    backend: str
    residuals: tuple[Residual, ...] = ()
    schema_version: int = 1


def calibrated(
    footprint: Footprint, calibration: Calibration, setting: str, filling: Filling | None = None
) -> Footprint:
    """The footprint as runs corrected it; unchanged where none of them has anything to say about it.

    Args:
        footprint: predicted without calibration.
        calibration: of the same machine, engine, version and backend.
        setting: ``setting_digest`` of the deployment.
        filling: of the run that this is a prediction of: runs that filled as much are believed first. None: of any
            use of the deployment, so the fullest runs are.
    """
    ran = [one for one in calibration.residuals if one.observed_bytes]
    alike = [one for one in ran if one.setting == setting and one.filling == filling]
    whole = _fullest(ran)
    if alike or setting in whole:
        return _as_observed(footprint, calibration, alike[0] if alike else whole[setting])
    others = [one for one in whole.values() if one.profile == footprint.profile]
    return _as_others(footprint, calibration, others) if len(others) >= LEAST_OTHERS else footprint


def _fullest(residuals: Iterable[Residual]) -> dict[str, Residual]:
    """Of each setting the runs that filled most, a whole ubatch at least."""
    found: dict[str, Residual] = {}
    for one in residuals:
        if one.filled == "context" or (one.filled == "ubatch" and one.setting not in found):
            found[one.setting] = one
    return found


def _as_observed(footprint: Footprint, calibration: Calibration, residual: Residual) -> Footprint:
    runs = len(residual.observed_bytes)
    error = f"{_counted(runs, 'run')} on this machine, the last {residual.last[:10] or 'of unknown date'}"
    # a term in two pools (weights on both sides of a GPU) was seen as one: which half was off is not known
    names = [term.name for term in footprint.terms if term.pool != "system"]
    seen = {one.name: one.touched_bytes for one in residual.terms if names.count(one.name) == 1}
    terms = [_seen(term, seen.get(term.name), error) for term in footprint.terms]
    terms = _absorb(terms, residual.typical_bytes - total(terms).likely_bytes, error)
    least, most = min(residual.observed_bytes), max(residual.observed_bytes)
    terms = _widen(terms, low_bytes=least, high_bytes=most, unevictable_bytes=residual.unevictable_bytes)
    learned = Learned(
        of="setting",
        runs=runs,
        settings=1,
        machine=calibration.machine,
        version=calibration.version,
        uncalibrated_bytes=footprint.likely_bytes,
        observations=residual.observations,
        last=residual.last,
        filled=residual.filled,
    )
    return _summed(footprint, terms, learned)


def _as_others(footprint: Footprint, calibration: Calibration, others: Sequence[Residual]) -> Footprint:
    """A shift of ``runtime`` by what other settings were off, where they agree on it."""
    import statistics  # takes longer to import than a footprint without calibration may be delayed

    off = [one.typical_bytes - one.likely_bytes for one in others]
    shift = round(statistics.median(off))
    apart = statistics.median(abs(one - shift) for one in off)
    if abs(shift) < LEAST_SHIFT_BYTES or apart > (1 - LEAST_GAIN) * statistics.median(abs(one) for one in off):
        return footprint
    spread = round(_BARS * _NORMAL * apart)
    error = f"shifted by {_counted(len(others), 'other setting')} that ran on this machine"
    terms = _absorb(list(footprint.terms), shift, error)
    likely = total(terms).likely_bytes
    terms = _widen(terms, low_bytes=likely - spread, high_bytes=likely + spread)
    learned = Learned(
        of="others",
        runs=sum(len(one.observed_bytes) for one in others),
        settings=len(others),
        machine=calibration.machine,
        version=calibration.version,
        uncalibrated_bytes=footprint.likely_bytes,
        observations=tuple(sorted({each for one in others for each in one.observations})),
        last=max(one.last for one in others),
    )
    warning = (
        f"not run here yet: the runtime is {_signed(shift)} by what {_counted(len(others), 'other setting')} showed on"
        " this machine (--calibration off leaves that out)"
    )
    return _summed(footprint, terms, learned, warning)


def _seen(term: Term, touched_bytes: int | None, error: str) -> Term:
    if touched_bytes is None or term.pool == "system":
        return term
    return _moved(term, touched_bytes, error)


def _moved(term: Term, likely_bytes: int, error: str) -> Term:
    """The term with what was seen of it, its bounds no narrower than they were."""
    if likely_bytes == term.likely_bytes:
        return term
    moved = msgspec.structs.replace(
        term,
        low_bytes=min(term.low_bytes, likely_bytes),
        likely_bytes=likely_bytes,
        source="measured",
        error="; ".join(filter(None, (term.error, error))),
    )
    return _raised(moved, max(0, likely_bytes - term.high_bytes))


def _raised(term: Term, more_bytes: int) -> Term:
    """A higher upper bound; parts add up to it."""
    if more_bytes <= 0:
        return term
    parts = (*term.parts, Part(name="beyond the prediction, as observed", bytes=more_bytes)) if term.parts else ()
    return msgspec.structs.replace(term, high_bytes=term.high_bytes + more_bytes, parts=parts)


# what a missing part is taken from, most doubtful first; what is not named comes after them, largest first
_DOUBTFUL = ("runtime", "tokenizer", "compute_buffers", "work_buffer", "projector", "draft")


def _absorb(terms: list[Term], more_bytes: int, error: str) -> list[Term]:
    """The terms with ``more_bytes`` more in their likely sum: added to ``runtime``, or taken from the most doubtful."""
    order = sorted((index for index, term in enumerate(terms) if term.pool != "system"), key=_doubt(terms))
    if not order:
        return terms
    result = list(terms)
    if more_bytes >= 0:
        first = order[0]
        result[first] = _moved(terms[first], terms[first].likely_bytes + more_bytes, error)
        return result
    missing = -more_bytes
    # first down to where each may be, then below it
    for floor in (True, False):
        for index in order:
            term = result[index]
            taken = min(missing, term.likely_bytes - (term.low_bytes if floor else 0))
            if taken > 0:
                result[index] = _moved(term, term.likely_bytes - taken, error)
                missing -= taken
    return result


def _doubt(terms: Sequence[Term]) -> Callable[[int], tuple[int, int]]:
    def key(index: int) -> tuple[int, int]:
        term = terms[index]
        named = _DOUBTFUL.index(term.name) if term.name in _DOUBTFUL else len(_DOUBTFUL)
        return named, -term.likely_bytes

    return key


def _widen(terms: list[Term], *, low_bytes: int, high_bytes: int, unevictable_bytes: int = 0) -> list[Term]:
    """Bounds that hold what was observed: the most doubtful terms give way."""
    order = sorted((index for index, term in enumerate(terms) if term.pool != "system"), key=_doubt(terms))
    result = list(terms)
    excess = total(result).low_bytes - max(0, low_bytes)
    for index in order:
        lower = min(max(0, excess), result[index].low_bytes)
        if lower:
            result[index] = msgspec.structs.replace(result[index], low_bytes=result[index].low_bytes - lower)
            excess -= lower
    sums = total(result)
    lacking = max(high_bytes - sums.high_bytes, unevictable_bytes - sums.unevictable_bytes)
    if order:
        result[order[0]] = _raised(result[order[0]], lacking)
    return result


def _summed(footprint: Footprint, terms: Iterable[Term], learned: Learned, *warnings: str) -> Footprint:
    counted = tuple(terms)
    totals = total(counted)
    return msgspec.structs.replace(
        footprint,
        terms=counted,
        low_bytes=totals.low_bytes,
        likely_bytes=totals.likely_bytes,
        high_bytes=totals.high_bytes,
        required_bytes=totals.required_bytes,
        headroom_bytes=footprint.capacity_bytes - totals.required_bytes,
        verdict=judge(totals, footprint.capacity_bytes),
        warnings=(*footprint.warnings, *warnings),
        learned=learned,
    )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _signed(shift: int) -> str:
    return f"{'lower' if shift < 0 else 'higher'} by {abs(shift) / MIB:.1f} MiB"
