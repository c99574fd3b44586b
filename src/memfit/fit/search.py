"""What can run on a device, for a use: every model of the catalog in every format on every engine, best row of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from memfit.device.boards import BOARDS
from memfit.device.records import Device
from memfit.engine.runtimes import ENGINES
from memfit.errors import UsageError
from memfit.fit import judge, rank
from memfit.fit.candidates import Candidate, of_catalog, serves
from memfit.fit.formats import form_of, formats_of, quality_of
from memfit.fit.records import Fit, FitRow, Wish
from memfit.fit.sizes import EngineSizes, add, profile_of
from memfit.fit.uses import USES, Use
from memfit.precision.support import how
from memfit.speed.predict import Setting, predict_on, setting_of
from memfit.speed.traffic import UNFUSED_ENGINES

_PROMPT_TOKENS = 512


@dataclass
class _Place:
    """Where models are to run, and what is known of the engines there."""

    device: Device
    capability: str | None
    settings: dict[str, Setting]
    considered: int = 0


def fit(
    device: Device,
    wish: Wish | None = None,
    *,
    models: Sequence[str] = (),
    every_row: bool = False,
) -> Fit:
    """Every model of the catalog that serves the wish, best first.

    Args:
        device: a board with a GPU that shares its memory.
        wish: what is looked for.
        models: names of the catalog; all that serve the use where none is given.
        every_row: all formats and engines of each model, and not the best alone.

    Raises:
        UnknownName: no such use, engine, format or model.
        UsageError: a wish that no model or no engine can answer.
    """
    wish = wish or Wish()
    use = USES.get(wish.use) if wish.use else None
    place = _place(device, wish)
    chosen, left_out = _chosen(models, use)
    rows: list[FitRow] = []
    least = wish.least_tokens_per_s or (use.least_tokens_per_s if use else 0.0)
    for candidate in chosen:
        found = list(_rows(candidate, place, wish))
        if not found:
            continue
        if use is not None and candidate.name in use.advised:
            found = [_named(row) for row in found]
        best = found if every_row else [min(found, key=lambda row: rank.best_key(row, least_tokens_per_s=least))]
        rows.extend(best)
    prefers = use.prefers if use else "large"
    rows.sort(key=lambda row: rank.sort_key(row, least_tokens_per_s=least, prefers=prefers))
    return Fit(
        device=device,
        wish=wish,
        rows=tuple(rows),
        considered=place.considered,
        left_out=left_out,
        notes=tuple(_notes(place, wish, use)),
    )


def _named(row: FitRow) -> FitRow:
    return msgspec.structs.replace(row, named=True)


def _chosen(models: Sequence[str], use: Use | None) -> tuple[list[Candidate], int]:
    from memfit.model.cards import CARDS
    from memfit.model.unknown import without_card

    every = list(of_catalog())
    if models:
        by_name = {candidate.name: candidate for candidate in every}
        chosen = []
        for name in models:
            if name not in CARDS:
                raise without_card(name)
            chosen.append(by_name[CARDS.get(name).name])
        return chosen, 0
    needs = use.needs if use else ()
    serving = [candidate for candidate in every if serves(candidate.card, needs)]
    return serving, len(every) - len(serving)


def _place(device: Device, wish: Wish) -> _Place:
    capability = (device.gpu or "").split()[-1] if device.gpu else None
    settings: dict[str, Setting] = {}
    board = BOARDS.get(device.name) if device.name in BOARDS else None
    for engine in wish.engines:
        if board is not None:
            try:
                settings[engine] = setting_of(board, engine, mode=wish.power_mode or None)
            except UsageError:
                continue  # nobody published what this engine makes of such a chip: speed stays unknown
    return _Place(device=device, capability=capability, settings=settings)


def _rows(candidate: Candidate, place: _Place, wish: Wish) -> Iterator[FitRow]:
    for engine in wish.engines:
        sizes = candidate.sizes.engines.get(engine)
        if sizes is None:
            continue
        for format in _formats(sizes, engine, wish):
            row = _row(candidate, place, wish, engine, format, sizes)
            if row is not None:
                yield row


def _formats(sizes: EngineSizes, engine: str, wish: Wish) -> Iterable[str]:
    wanted = {form_of(format).name for format in wish.formats}
    return (
        format
        for format in formats_of(engine)
        if format in sizes.formats and (not wanted or form_of(format).name in wanted)
    )


def _row(
    candidate: Candidate, place: _Place, wish: Wish, engine: str, format: str, sizes: EngineSizes
) -> FitRow | None:
    support = how(form_of(format), engine, place.capability) if place.capability is not None else None
    if support is not None and support.how == "unsupported":
        place.considered += 1
        return None
    capacity = place.device.capacity_bytes
    asked = _asked(sizes, wish.context_tokens)
    of_format = sizes.formats[format]
    fitting = 0
    for tokens in sizes.contexts:
        place.considered += 1
        if add(engine, of_format, sizes.contexts[tokens]).required > capacity:
            break
        fitting = tokens
    shown = asked if fitting >= asked or not fitting else fitting
    found = add(engine, of_format, sizes.contexts[shown])
    verdict, reason = judge.judge(found, capacity)
    if shown != asked:
        verdict, reason = judge.capped(fitting, asked)
    row = FitRow(
        model=candidate.name,
        parameters=candidate.sizes.parameters,
        parameters_active=candidate.sizes.parameters_active,
        format=form_of(format).name,
        engine=engine,
        context_tokens=fitting,
        context_trained_tokens=candidate.sizes.trained_tokens,
        verdict=verdict,
        reason=reason,
        weights_bytes=candidate.sizes.profiles[format].weights,
        likely_bytes=found.likely,
        high_bytes=found.high,
        required_bytes=found.required,
        headroom_bytes=capacity - found.required,
        quality=quality_of(format),
        score=rank.score(
            candidate.sizes.parameters, candidate.sizes.parameters_active, candidate.card.released, format
        ),
    )
    return row if verdict == "no" else _with_speed(row, candidate, place, wish, engine, format, shown)


def _asked(sizes: EngineSizes, tokens: int) -> int:
    """The context of the table that holds so many tokens; the trained one where the model has no more."""
    return next((one for one in sizes.contexts if one >= tokens), max(sizes.contexts))


def _with_speed(
    row: FitRow, candidate: Candidate, place: _Place, wish: Wish, engine: str, format: str, tokens: int
) -> FitRow:
    setting = place.settings.get(engine)
    if setting is None:
        return row
    shape = candidate.shape() if engine in UNFUSED_ENGINES else None
    speed = predict_on(
        setting,
        profile_of(candidate.sizes, format, shape),
        depth_tokens=tokens // 2,
        prompt_tokens=min(_PROMPT_TOKENS, tokens),
    )
    slow = wish.least_tokens_per_s and speed.decode.likely < wish.least_tokens_per_s
    return msgspec.structs.replace(
        row,
        verdict="no" if slow else row.verdict,
        reason=f"{speed.decode.likely:.0f} tokens/s, below {wish.least_tokens_per_s:g}" if slow else row.reason,
        decode_tokens_per_s=round(speed.decode.likely, 1),
        decode_low_tokens_per_s=round(speed.decode.low, 1),
        decode_high_tokens_per_s=round(speed.decode.high, 1),
        prefill_tokens_per_s=None if speed.prefill is None else round(speed.prefill.likely),
    )


def _notes(place: _Place, wish: Wish, use: Use | None) -> Iterator[str]:
    for key in wish.engines:
        setting = place.settings.get(key)
        if setting is not None:
            yield f"{ENGINES.get(key).name}'s speed: {setting.machine.mode}, {setting.source}"
        else:
            yield f"{ENGINES.get(key).name}'s speed is not known here"
    if use is not None:
        yield f"the use: {use.source}"
    yield "the order is a prior of parameters, year and format, and no measurement of quality"
