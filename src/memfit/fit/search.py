"""What can run on a device, for a use: every model of the catalog in every format on every engine, best row of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from memfit.device.boards import BOARDS, Board
from memfit.device.records import Device
from memfit.engine.runtimes import ENGINES
from memfit.errors import UnknownName, UsageError
from memfit.fit import judge, rank
from memfit.fit.candidates import Candidate, chosen, others
from memfit.fit.exact import FORMATS_LOOKED_AT, Exact, exact
from memfit.fit.formats import MOST_BEARABLE, form_of, formats_of, loss_of, quality_of
from memfit.fit.records import Fit, FitRow, QualityPrior, Wish
from memfit.fit.sizes import EngineSizes, add, profile_of
from memfit.fit.uses import USES, Use
from memfit.precision.presets import PRESETS
from memfit.precision.schemes import SCHEMES
from memfit.precision.support import how
from memfit.speed.predict import Setting, predict_on, setting_of
from memfit.speed.touched import Profile
from memfit.speed.traffic import UNFUSED_ENGINES
from memfit.units import GIB, format_bytes

_PROMPT_TOKENS = 512


@dataclass
class _Search:
    """A wish on a device, and what is known of the engines there."""

    device: Device
    wish: Wish
    use: Use | None
    capability: str | None
    settings: dict[str, Setting]
    considered: int = 0
    exactly: list[str] = field(default_factory=list)

    @property
    def least_tokens_per_s(self) -> float:
        """What a row should reach to be put first."""
        return self.wish.least_tokens_per_s or (self.use.least_tokens_per_s if self.use else 0.0)

    @property
    def in_table(self) -> bool:
        """Whether the table answers: a GPU that shares the memory, and the engines' default options."""
        return self.device.unified and bool(self.device.gpu) and self.wish.slots == 1 and self.wish.kv_type == "F16"


def fit(device: Device, wish: Wish | None = None, *, models: Sequence[str] = (), every_row: bool = False) -> Fit:
    """Every model that serves the wish, best first.

    Args:
        device: from ``memfit.device.find_device``.
        wish: what is looked for.
        models: names of the catalog, files, or places; all of the catalog that serve the use where none is given.
        every_row: all formats and engines of each model, and not the best alone.

    Raises:
        UnknownName: no such use, engine, format or model.
        ModelError: a file that cannot be used.
        UsageError: a wish that no model or no engine can answer.
    """
    wish = wish or Wish()
    use = USES.get(wish.use) if wish.use else None
    search = _search(device, wish, use)
    candidates, left_out = chosen(models, use.needs if use else ())
    rows: list[FitRow] = []
    for candidate in candidates:
        _take(rows, [*_rows_of_catalog(candidate, search)], search, every_row=every_row)
    for name in others(models):
        _take(rows, [*_rows_exactly(name, None, search)], search, every_row=every_row)
    prefers = use.prefers if use else "large"
    rows.sort(key=lambda row: rank.sort_key(row, least_tokens_per_s=search.least_tokens_per_s, prefers=prefers))
    return Fit(
        device=device,
        wish=wish,
        rows=tuple(rows),
        considered=search.considered,
        left_out=left_out,
        notes=tuple(_notes(search)),
    )


def _take(rows: list[FitRow], found: list[FitRow], search: _Search, *, every_row: bool) -> None:
    if not found:
        return
    if search.use is not None and found[0].model in search.use.advised:
        found = [msgspec.structs.replace(row, named=True) for row in found]
    if every_row:
        rows.extend(found)
    else:
        rows.append(min(found, key=lambda row: rank.best_key(row, least_tokens_per_s=search.least_tokens_per_s)))


def _search(device: Device, wish: Wish, use: Use | None) -> _Search:
    capability = device.gpu.split()[-1] if device.gpu and "." in device.gpu else None
    settings: dict[str, Setting] = {}
    board = BOARDS.get(device.name) if device.name in BOARDS else None
    for engine in wish.engines:
        if board is None:
            continue
        try:
            on_cpu = ENGINES.get(engine).on_the_processor or not device.gpu
            settings[engine] = setting_of(board, engine, mode=wish.power_mode or None, on_cpu=on_cpu)
        except UsageError as unknown:
            if isinstance(unknown, UnknownName) and unknown.kind != "engine":
                raise  # no such power mode
            # nobody published what this engine makes of such a chip: its speed stays unknown
    return _Search(device=device, wish=wish, use=use, capability=capability, settings=settings)


def _rows_of_catalog(candidate: Candidate, search: _Search) -> Iterator[FitRow]:
    if not search.in_table:
        yield from _rows_exactly(candidate.name, candidate, search)
        return
    for engine in search.wish.engines:
        sizes = candidate.sizes.engines.get(engine)
        if sizes is None:
            continue
        for format in _formats(formats_of(engine), search.wish):
            if format in sizes.formats:
                search.considered += 1
                if _runs(format, engine, search):
                    yield _row_of_table(candidate, search, engine, format, sizes)


def _formats(formats: Iterable[str], wish: Wish) -> Iterator[str]:
    wanted = {form_of(format).name for format in wish.formats}
    return (format for format in formats if not wanted or form_of(format).name in wanted)


def _runs(format: str, engine: str, search: _Search) -> bool:
    """Whether the engine runs the format on this chip; where nobody knows, it is taken to."""
    if search.capability is None:
        return True
    support = how(form_of(format), engine, search.capability)
    return support is None or support.how != "unsupported"


def _row_of_table(candidate: Candidate, search: _Search, engine: str, format: str, sizes: EngineSizes) -> FitRow:
    capacity = search.device.capacity_bytes
    of_format = sizes.formats[format]
    asked = next((one for one in sizes.contexts if one >= search.wish.context_tokens), max(sizes.contexts))
    fitting = 0
    for tokens, of_context in sizes.contexts.items():
        search.considered += 1
        if add(engine, of_format, of_context).required > capacity:
            break
        fitting = tokens
    shown = asked if fitting >= asked or not fitting else fitting
    shape = candidate.shape() if engine in UNFUSED_ENGINES else None
    model = candidate.sizes
    return _row(
        candidate.name,
        search,
        Exact(
            engine=engine,
            format=form_of(format).name,
            tokens=shown,
            fitting_tokens=fitting,
            trained_tokens=model.trained_tokens,
            found=add(engine, of_format, sizes.contexts[shown]),
            weights_bytes=model.profiles[format].weights,
            parameters=model.parameters,
            parameters_active=model.parameters_active,
            profile=profile_of(model, format, shape),
            looked_at=0,
        ),
        asked,
        released=candidate.card.released,
    )


def _rows_exactly(name: str, candidate: Candidate | None, search: _Search) -> Iterator[FitRow]:
    """A file is shown as it is; a model of the catalog in a few formats, as each is predicted."""
    for engine in search.wish.engines:
        formats: list[str | None]
        if candidate is None:
            formats = [*search.wish.formats] or [None]
        elif search.wish.formats:
            formats = [format for format in search.wish.formats if _is_of(format, engine)]
        else:
            usual = FORMATS_LOOKED_AT if ENGINES.get(engine).reads == "gguf" else formats_of(engine)
            formats = list(usual)
        for found in exact(name, search.device, search.wish, engine, formats):
            search.considered += found.looked_at
            asked = min(max(search.wish.context_tokens, found.tokens), found.trained_tokens)
            released = candidate.card.released if candidate else None
            yield _row(name, search, found, asked, released=released, where="catalog" if candidate else "file")


def _without_desktop(board: Board) -> Iterator[str]:
    total, desktop, headless = board.total_bytes, board.desktop_bytes, board.headless_bytes
    if total is None or desktop is None or headless is None or headless.value >= desktop.value:
        return
    left = total.value - headless.value
    more = format_bytes(desktop.value - headless.value)
    yield (
        f"a stock system with its desktop; without one {more} more are free ({headless.grade}): --memory"
        f" {left / GIB:.2f}GiB"
    )


def _is_of(format: str, engine: str) -> bool:
    return format in (PRESETS if ENGINES.get(engine).reads == "gguf" else SCHEMES)


def _row(
    name: str, search: _Search, found: Exact, asked: int, *, released: str | None, where: str = "catalog"
) -> FitRow:
    verdict, reason = judge.judge(found.found, search.device.capacity_bytes)
    if found.tokens < asked and found.fitting_tokens:
        verdict, reason = judge.capped(found.fitting_tokens, asked)
    elif verdict in ("comfortable", "tight") and loss_of(found.format) > MOST_BEARABLE:
        verdict, reason = judge.last_resort(found.format)
    row = FitRow(
        model=name,
        where=where,
        parameters=found.parameters,
        parameters_active=found.parameters_active,
        format=found.format,
        engine=found.engine,
        context_tokens=found.fitting_tokens,
        context_trained_tokens=found.trained_tokens,
        verdict=verdict,
        reason=reason,
        weights_bytes=found.weights_bytes,
        likely_bytes=found.found.likely,
        high_bytes=found.found.high,
        required_bytes=found.found.required,
        headroom_bytes=search.device.capacity_bytes - found.found.required,
        quality=_quality(found.format),
        score=rank.score(found.parameters, found.parameters_active, released, found.format),
    )
    return row if verdict == "no" else _with_speed(row, search, found.profile, found.tokens)


def _quality(format: str) -> QualityPrior:
    known = format in PRESETS or format in SCHEMES
    return quality_of(format) if known else QualityPrior(kl_divergence=None, words="unknown", source="")


def _with_speed(row: FitRow, search: _Search, model: Profile, tokens: int) -> FitRow:
    setting = search.settings.get(row.engine)
    if setting is None:
        return row
    kv, slots = search.wish.kv_type, search.wish.slots
    speed = predict_on(
        setting,
        model,
        depth_tokens=tokens // 2,
        prompt_tokens=min(_PROMPT_TOKENS, tokens),
        sequences=slots,
        kv_type_k=kv,
        kv_type_v=kv,
    )
    likely, low, high = (one / slots for one in (speed.decode.likely, speed.decode.low, speed.decode.high))
    least = search.wish.least_tokens_per_s
    slow = bool(least) and likely < least
    return msgspec.structs.replace(
        row,
        verdict="no" if slow else row.verdict,
        reason=f"{likely:.1f} tokens/s, below {least:g}" if slow else row.reason,
        decode_tokens_per_s=round(likely, 1),
        decode_low_tokens_per_s=round(low, 1),
        decode_high_tokens_per_s=round(high, 1),
        prefill_tokens_per_s=None if speed.prefill is None else round(speed.prefill.likely),
    )


def _notes(search: _Search) -> Iterator[str]:
    for engine in search.wish.engines:
        setting, name = search.settings.get(engine), ENGINES.get(engine).name
        if setting is None:
            yield f"nobody published what {name} makes of this machine: no speed is shown"
        else:
            yield f"speed of {name}: {setting.machine.mode}, {setting.source}; half of the context filled"
        if ENGINES.get(engine).reads != "gguf":
            yield f"whether {name} has each of these architectures was not looked at"
    board = BOARDS.get(search.device.name) if search.device.name in BOARDS else None
    if board is not None and search.device.grade != "stated":
        yield from _without_desktop(board)
    if search.use is not None and search.use.source:
        yield f"{search.use.summary}: {search.use.source}"
    yield "the order is a prior of parameters, year and format, and no measurement of quality"
