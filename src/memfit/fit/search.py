"""What can run on a device, for a use: every model of the catalog in every format on every engine, best row of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from memfit.device.boards import BOARDS, Board
from memfit.device.records import Device
from memfit.engine._engine import Models
from memfit.engine.runtimes import ENGINES
from memfit.errors import ModelError
from memfit.fit import rank
from memfit.fit.candidates import Candidate, chosen, others
from memfit.fit.elsewhere import FileOf, files_of, on_this_machine
from memfit.fit.exact import FORMATS_LOOKED_AT, Exact, exact, exact_of
from memfit.fit.formats import form_of, formats_of
from memfit.fit.records import Fit, FitRow, Wish
from memfit.fit.rows import Search, row_of, search_of
from memfit.fit.sizes import EngineSizes, add, profile_of
from memfit.fit.spoken import rows_of, speech_models
from memfit.fit.uses import USES
from memfit.precision.presets import PRESETS
from memfit.precision.schemes import SCHEMES
from memfit.precision.support import how
from memfit.speed.traffic import UNFUSED_ENGINES
from memfit.units import GIB, format_bytes

_PROMPT_TOKENS = 512


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
    search = search_of(device, wish, use)
    candidates, left_out = chosen(models, use.needs if use else ())
    rows: list[FitRow] = []
    for candidate in candidates:
        _take(rows, [*_rows_of_catalog(candidate, search)], search, every_row=every_row)
    spoken = speech_models(models, use.needs if use else ())
    for model in spoken:
        _take(rows, [*rows_of(model, search)], search, every_row=every_row)
    for name in others(models):
        files = files_of(name)
        if files is None:
            _take(rows, [*_rows_exactly(name, None, search)], search, every_row=every_row)
        else:  # they are to be chosen from
            _take(rows, [*_rows_of_files(files, search)], search, every_row=True)
    if not models and device.here:
        for name in on_this_machine():
            _take(rows, [*_rows_here(name, search)], search, every_row=every_row)
    prefers = use.prefers if use else "large"
    rows.sort(key=lambda row: rank.sort_key(row, least_tokens_per_s=search.least_tokens_per_s, prefers=prefers))
    return Fit(
        device=device,
        wish=wish,
        rows=tuple(rows),
        considered=search.considered,
        left_out=left_out,
        notes=tuple(_notes(search, rows)),
    )


def _take(rows: list[FitRow], found: list[FitRow], search: Search, *, every_row: bool) -> None:
    if not found:
        return
    if search.use is not None and found[0].model in search.use.advised:
        found = [msgspec.structs.replace(row, named=True) for row in found]
    if every_row:
        rows.extend(found)
    else:
        rows.append(min(found, key=lambda row: rank.best_key(row, least_tokens_per_s=search.least_tokens_per_s)))


def _rows_of_catalog(candidate: Candidate, search: Search) -> Iterator[FitRow]:
    if not search.in_table:
        yield from _rows_exactly(candidate.name, candidate, search)
        return
    for engine in search.engines:
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


def _runs(format: str, engine: str, search: Search) -> bool:
    """Whether the engine runs the format on this chip; where nobody knows, it is taken to."""
    if search.capability is None:
        return True
    support = how(form_of(format), engine, search.capability)
    return support is None or support.how != "unsupported"


def _row_of_table(candidate: Candidate, search: Search, engine: str, format: str, sizes: EngineSizes) -> FitRow:
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
    return row_of(
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


def _rows_exactly(name: str, candidate: Candidate | None, search: Search) -> Iterator[FitRow]:
    """A file is shown as it is; a model of the catalog in a few formats, as each is predicted."""
    for engine in search.engines:
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
            yield row_of(name, search, found, asked, released=released, where="catalog" if candidate else _where(name))


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


def _rows_of_files(files: list[FileOf], search: Search) -> Iterator[FitRow]:
    for file in files:
        found = exact_of(file.name, Models(model=file.shape), search.device, search.wish, "llama_cpp", file.preset)
        search.considered += found.looked_at
        asked = min(max(search.wish.context_tokens, found.tokens), found.trained_tokens)
        yield row_of(file.name, search, found, asked, released=None, where="hub")


def _rows_here(name: str, search: Search) -> Iterator[FitRow]:
    """A model that some other program keeps here; one that cannot be read is not worth an error."""
    try:
        yield from _rows_exactly(name, None, search)
    except ModelError:
        return


def _is_of(format: str, engine: str) -> bool:
    return format in (PRESETS if ENGINES.get(engine).reads == "gguf" else SCHEMES)


def _where(name: str) -> str:
    kind = name.partition(":")[0]
    return {"ollama": "ollama", "hf": "hub"}.get(kind, "file")


def _notes(search: Search, rows: Sequence[FitRow]) -> Iterator[str]:
    if any(row.task for row in rows):
        yield "models for speech are sized by rules for their engines, with wide bars; no speed is known of them"
    for engine in search.engines if any(not row.task for row in rows) else ():
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
