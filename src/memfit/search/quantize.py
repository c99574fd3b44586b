"""Quantize a model to the lowest precision that keeps a floor, or to the best that a budget allows."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import msgspec

from memfit.errors import ModelError, UsageError
from memfit.precision.formats import FORMATS
from memfit.precision.presets import PRESETS
from memfit.search.base import Base, differing
from memfit.search.best import best_of
from memfit.search.budget import Destination, headroom, room, within_device
from memfit.search.cache import KINDS, choose_cache
from memfit.search.choose import SEARCHED, Mix, Search, mixes, searched_formats
from memfit.search.compete import competing
from memfit.search.conclude import given, leave, nearest, refuse_out
from memfit.search.decision import Decision, with_recovery
from memfit.search.ladder import measured, rungs
from memfit.search.promises import notes_on
from memfit.search.records import Asked, CacheChoice, Candidate, PrecisionMap
from memfit.search.recover import Recovery, refuse_recovery, refuse_short
from memfit.search.sensitivity import Sensitivity
from memfit.search.session import Said, Session
from memfit.search.setting import Setting, fitting_window
from memfit.search.tasks import read_tasks
from memfit.search.text import Passage, read_text


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted.

    Attributes:
        model: the base, a GGUF file.
        out: the file to write; None only looks.
        asked: floors and budgets.
        text, unseen: files of text; the bundled sample, and a third of the first, where None.
        ladder: only presets, each made and measured; ``presets`` which, all where empty.
        formats: that a search may give; the usual ones where empty.
        imatrix: importances to take instead of gathering them.
        recovery: also train the weights for their formats; None: not.
        overwrite, forced: a file may be replaced; a quantized base may be taken.
        work: folder of what is learned on the way.
    """

    model: str
    out: str | None
    asked: Asked
    text: str | None = None
    unseen: str | None = None
    ladder: bool = False
    presets: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    imatrix: str | None = None
    window_tokens: int = 512
    threads: int | None = None
    recovery: Recovery | None = None
    overwrite: bool = False
    forced: bool = False
    work: str | None = None


def quantize(request: Request, said: Said = lambda _what, _done, _total: None) -> PrecisionMap:
    """Search, make the file, and say what was decided and why.

    Where nothing keeps the floors, or no format is small enough, no file is written and ``chosen`` is None.

    Raises:
        EngineMissing: no engine, or no solver.
        EngineFailed: the engine failed; what was learned is kept.
        UsageError: the base, the text or the floors make no sense.
        MemfitError: no space; nothing half-written is left.
    """
    began = time.monotonic()
    asked = request.asked
    if not asked.floors and asked.max_bytes is None and asked.device is None and not request.ladder:
        raise UsageError(
            "neither a floor nor a budget", hint="--floor kl=0.03, --max-bytes 4.5GiB, or --fit DEVICE --context N"
        )
    for name in request.formats:
        FORMATS.get(name)  # known before hours are spent
    for name in request.presets:
        PRESETS.get(name)
    base = Base(request.model, forced=request.forced)
    if asked.kv is None and (asked.device is None or request.ladder):
        raise UsageError(
            "--kv auto weighs the cache against the weights in a device's memory, by a search",
            hint="--kv auto --fit DEVICE --context N, without --ladder; or name a format: --kv q8_0",
        )
    if asked.device is not None:
        sized = _within_device(base, asked, asked.kv or KINDS[-1])  # the smallest cache, where it is to be chosen
        if (sized.max_bytes or 0) <= 0:
            return _no_room(base, request, sized, began)  # before anything is searched
        if asked.kv is not None:
            request, asked = msgspec.structs.replace(request, asked=sized), sized
    passage = read_text(request.text)
    apart = _read_apart(request, passage)
    imatrix = None if request.imatrix is None else Path(request.imatrix)
    if request.out is not None:
        begun = partial(_same_question, request, passage)
        refuse_out(Path(request.out), base, imatrix, overwrite=request.overwrite, begun=begun)
    setting = Setting(
        window_tokens=fitting_window(base.shape, request.window_tokens),
        threads=request.threads,
        tasks=tuple(read_tasks(one.file) for one in asked.floors if one.file is not None),
        wants_speed=request.ladder or asked.min_tokens_per_s is not None or asked.max_ttft_s is not None,
        kv=asked.kv or KINDS[0],
        imatrix=imatrix,
    )
    work = None if request.work is None else Path(request.work)
    if request.recovery is not None:
        refuse_recovery(base, setting, request.recovery)
    with Session(base, passage, apart, setting, work=work, said=said) as session:
        if request.recovery is not None:
            refuse_short(len(session.split.seen))
        decision = _by_ladder(session, request) if request.ladder else _by_search(session, request, said)
        if request.recovery is not None and decision.mix is not None:
            decision = with_recovery(session, request.recovery, decision, decision.mix, said)
        return _concluded(session, request, decision, said, began)


def _read_apart(request: Request, passage: Passage) -> Passage | None:
    if request.unseen is None:
        return None
    apart = read_text(request.unseen)
    if apart.sha256 == passage.sha256:
        raise UsageError(
            f"--unseen {request.unseen} is the text that is searched on",
            hint="give another text, or no --unseen: a third of --text is kept from the search then",
        )
    return apart


def _same_question(request: Request, passage: Passage, record: PrecisionMap) -> bool:
    of = record.model, record.out, record.text and record.text.sha256, record.asked.floors
    return of == (request.model, request.out, passage.sha256, request.asked.floors)


def _place(asked: Asked) -> Destination:
    return Destination(device=asked.device or "", context_tokens=asked.context_tokens or 4096, slots=asked.slots)


def _within_device(base: Base, asked: Asked, kv: tuple[str, str]) -> Asked:
    """The budget that follows from the device."""
    place = _place(asked)
    left = room(base, place, kv)
    least = left if asked.max_bytes is None else min(left, asked.max_bytes)
    return msgspec.structs.replace(asked, max_bytes=least, context_tokens=place.context_tokens)


def _no_room(base: Base, request: Request, sized: Asked, began: float) -> PrecisionMap:
    """The answer where all but the weights takes more than the device has."""
    less = "" if request.asked.kv in (None, KINDS[-1]) else ", or a smaller cache (--kv auto)"
    return PrecisionMap(
        model=request.model,
        model_sha256=None,
        model_bytes=base.whole_bytes,
        out=None,
        bytes=None,
        sha256=None,
        asked=sized,
        kv=request.asked.kv or KINDS[-1],
        method="ladder" if request.ladder else "searched",
        tensors=(),
        seconds=round(time.monotonic() - began, 1),
        notes=(*base.warnings, f"nothing was searched: a smaller --context{less} leaves room for weights"),
    )


def _by_ladder(session: Session, request: Request) -> Decision:
    found = rungs(session.base, session.bench.important, request.presets)
    made = tuple(measured(session, found, request.asked.floors))
    mixes = {one.preset: one.mix for one in found if one.mix is not None}
    asked = request.asked
    best = best_of([one for one in made if one.name in mixes and _fits(session, asked, mixes[one.name], one)], asked)
    return Decision(
        mix=None if best is None else mixes[best.name], candidate=best, candidates=made, asked=request.asked
    )


def _by_search(session: Session, request: Request, said: Said) -> Decision:
    asked = request.asked
    sensitivity = Sensitivity(session.base, session.notes, searched_formats(request.formats))
    session.prepare_probes()
    windows, first, against = session.probes
    sensitivity.learn(session.bench, windows, first=first, against=against, said=said)
    search = Search(session, sensitivity)
    said("choosing", 0, 1)
    caches: tuple[CacheChoice, ...] = ()
    if asked.kv is None:
        caches = choose_cache(session.base, session, search, _place(asked))
        kv = (caches[0].k, caches[0].v) if caches else KINDS[-1]
        session.use_cache(kv)
        asked = _within_device(session.base, asked, kv)
    if session.setting.kv != KINDS[0]:
        search.cache_kl = _cache_cost(session)
    if asked.device is not None and asked.max_bytes is not None:
        kv, most = session.setting.kv, asked.max_bytes
        most = within_device(session.base, _place(asked), kv, most, search.formats_within)
        asked = msgspec.structs.replace(asked, max_bytes=most)
    tried = mixes(search, session, asked)
    known = [one for _, one in tried]
    presets, left = competing(search, session, asked, known, rungs(session.base, session.bench.important))
    everything = [*tried, *presets]
    best = best_of([one for mix, one in everything if _fits(session, asked, mix, one)], asked)
    mix = next((mix for mix, one in everything if one is best), None)
    ordered = tuple(sorted((one for _, one in everything), key=lambda one: one.bytes))
    return Decision(
        mix=mix,
        candidate=best,
        candidates=ordered,
        asked=asked,
        sensitivity=sensitivity,
        least_bytes=search.least_bytes,
        caches=caches,
        left=left,
    )


def _cache_cost(session: Session) -> float:
    """Raises:
    ModelError: with this cache it predicts no numbers.
    """
    kv = session.setting.kv
    cost = session.cache_cost(kv)
    if cost is None:
        raise ModelError(
            f"predicts no numbers with its cache in {'/'.join(kv)}",
            file=session.base.path,
            hint="choose another: --kv f16, or --kv q8_0",
        )
    return cost


def _fits(session: Session, asked: Asked, mix: Mix, one: Candidate) -> bool:
    """Whether it was measured, and fits the device with all else that lies in its memory."""
    if one.quality is None or asked.device is None:
        return one.quality is not None
    return headroom(session.base, _place(asked), session.setting.kv, differing(mix.formats, session.base)) >= 0


def _concluded(session: Session, request: Request, decision: Decision, said: Said, began: float) -> PrecisionMap:
    base, best, mix = session.base, decision.candidate, decision.mix
    text, unseen = session.texts()
    looks = sum(one.quality is not None for one in decision.candidates) if decision.asked.floors else 0
    sensitivity = decision.sensitivity
    foreseen = 0 if sensitivity is None else sum(map(sensitivity.is_foreseen, base.changeable))
    close = nearest(decision.candidates, decision.asked) if best is None else None
    plain = best is not None and best.name != SEARCHED
    changed = {} if mix is None or (plain and decision.recovered is None) else differing(mix.formats, base)
    balanced = bool(session.bench.balanced & changed.keys())
    found = PrecisionMap(
        model=request.model,
        model_sha256=base.sha256(),
        model_bytes=base.whole_bytes,
        out=None,
        bytes=None if best is None else best.bytes,
        sha256=None,
        asked=decision.asked,
        kv=session.setting.kv,
        caches=decision.caches,
        method="ladder" if request.ladder else "searched",
        tensors=() if mix is None else given(base, mix, sensitivity, best),
        # predictions are of rounding, and say nothing of what was trained
        predicted_kl=None if mix is None or request.ladder or decision.recovered is not None else mix.predicted_kl,
        quality=None if best is None else best.quality,
        speed=None if best is None else best.speed,
        held=() if best is None else best.held,
        candidates=decision.candidates,
        chosen=None if best is None else best.name,
        nearest=None if close is None else close.name,
        nearest_bytes=None if close is None else close.bytes,
        least_bytes=decision.least_bytes,
        recovered=decision.recovered,
        text=text,
        unseen=unseen,
        engine=session.bench.engine,
        seconds=round(time.monotonic() - began, 1),
        notes=(
            *base.warnings,
            *decision.notes,
            *notes_on(
                text, unseen, session, best, looks=looks, left=decision.left, foreseen=foreseen, balanced=balanced
            ),
        ),
    )
    if mix is None or request.out is None:
        return found
    made = decision.file or session.file_of(differing(mix.formats, base), plain=plain)
    found = msgspec.structs.replace(found, out=request.out)
    return leave(session, found, made, text=request.text, overwrite=request.overwrite, said=said, began=began)
