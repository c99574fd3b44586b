"""What can run on a device, for a use: every model of the catalog in every format on every engine, best row of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from memfit.device.boards import BOARDS, Board
from memfit.device.records import Device
from memfit.engine._engine import Models
from memfit.engine.runtimes import ENGINES
from memfit.errors import ModelError, UsageError
from memfit.fit import rank
from memfit.fit.candidates import Candidate, chosen, others
from memfit.fit.elsewhere import FileOf, files_of, on_this_machine
from memfit.fit.exact import FORMATS_LOOKED_AT, Exact, exact, exact_of
from memfit.fit.formats import bits_of, form_of, formats_of
from memfit.fit.records import Fit, FitRow, Wish
from memfit.fit.rows import Search, row_of, search_of
from memfit.fit.sizes import EngineSizes, add, profile_of
from memfit.fit.spoken import rows_of, speech_models
from memfit.fit.uses import USES
from memfit.model.cards import CARDS
from memfit.precision.presets import PRESETS
from memfit.precision.schemes import SCHEMES
from memfit.precision.support import how
from memfit.speed.traffic import UNFUSED_ENGINES
from memfit.units import GIB, format_bytes, format_tokens


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
            _take(rows, [*_rows_of_name(name, search)], search, every_row=every_row)
        else:  # they are to be chosen from
            _take(rows, [*_rows_of_files(files, search)], search, every_row=True)
    if not models and device.here:
        for name in on_this_machine():
            _take(rows, [*_rows_here(name, search)], search, every_row=every_row)
    if not rows and search.refused:
        raise search.refused[-1]
    prefers = use.prefers if use else "large"
    rows.sort(key=lambda row: rank.sort_key(row, least_tokens_per_s=search.least_tokens_per_s, prefers=prefers))
    return Fit(
        device=device,
        wish=wish,
        rows=tuple(rows),
        considered=search.considered,
        left_out=left_out,
        target_tokens_per_s=search.least_tokens_per_s,
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
    for row in _rows_sized(candidate, search):
        use = search.use
        if use is not None and not set(use.needs) & set(candidate.card.uses):
            yield msgspec.structs.replace(row, verdict="no", reason=f"not published for {use.summary}")
        else:
            yield row


def _rows_sized(candidate: Candidate, search: Search) -> Iterator[FitRow]:
    for engine in search.engines:
        in_table, others = _formats(candidate, engine, search)
        for format in in_table:
            search.considered += 1
            if _runs(format, engine, search):
                yield _row_of_table(candidate, search, engine, format, candidate.sizes.engines[engine])
        yield from _rows_exactly(candidate.name, candidate, search, engine, others)


def _formats(candidate: Candidate, engine: str, search: Search) -> tuple[list[str], list[str]]:
    """Those that the table has, and those that are predicted one by one."""
    usual, native = formats_of(engine), candidate.card.native_format
    if native and ENGINES.get(engine).reads == "gguf":
        # what was published in so many bits is not made better by more of them
        usual = (native, *(format for format in usual if bits_of(format) <= bits_of(native)))
    if search.wish.formats:
        wanted = {form_of(format).name: format for format in search.wish.formats if _is_of(format, engine)}
        known = {form_of(format).name: format for format in usual}
        usual = tuple(known.get(name, format) for name, format in wanted.items())
        if not wanted:
            search.refused.append(_no_such_format(engine, search.wish.formats))
    sizes = candidate.sizes.engines.get(engine)
    if search.in_table and sizes is not None:
        # what the table leaves out of the usual ones, the engine or its quantizer refuses
        asked = usual if search.wish.formats else (native,) if native in usual else ()
        return [one for one in usual if one in sizes.formats], [one for one in asked if one not in sizes.formats]
    if not search.wish.formats and ENGINES.get(engine).reads == "gguf":
        usual = tuple(one for one in usual if one in FORMATS_LOOKED_AT or one == native)
    return [], _that_could_fit(candidate, usual, search)


def _that_could_fit(candidate: Candidate, formats: Sequence[str], search: Search) -> list[str]:
    """What is larger than the memory by its weights alone need not be predicted, but for the least of it."""
    weights = {format: profile.weights for format, profile in candidate.sizes.profiles.items()}
    able = [one for one in formats if weights.get(one, 0) <= search.device.capacity_bytes]
    return able or list(formats[-1:])


def _no_such_format(engine: str, formats: Sequence[str]) -> UsageError:
    name, asked = ENGINES.get(engine).name, ", ".join(form_of(format).name for format in formats)
    reads = "presets of GGUF (memfit list presets)" if ENGINES.get(engine).reads == "gguf" else "formats of checkpoints"
    return UsageError(f"{name} takes {reads}, and no {asked}", hint="take another --format, or another --engine")


def _runs(format: str, engine: str, search: Search) -> bool:
    """Whether the engine runs the format on this chip; where nobody knows, it is taken to."""
    if search.capability is None or ENGINES.get(engine).on_the_processor:
        return True
    support = how(form_of(format), engine, search.capability)
    if support is None or support.how != "unsupported":
        return True
    name, chip = ENGINES.get(engine).name, search.device.gpu
    search.refused.append(UsageError(f"{name} does not run {form_of(format).name} on {chip}: {support.says}"))
    return False


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
    found = Exact(
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
    )
    return _row_of_card(candidate, search, found, format)


def _row_of_card(candidate: Candidate, search: Search, found: Exact, format: str | None) -> FitRow:
    native = bool(format) and format == candidate.card.native_format
    row = row_of(candidate.name, search, found, released=candidate.card.released, native=native)
    if "embedding" not in candidate.card.uses:
        return row
    return msgspec.structs.replace(  # it reads texts and writes none
        row, decode_tokens_per_s=None, decode_low_tokens_per_s=None, decode_high_tokens_per_s=None
    )


def _rows_exactly(
    name: str, candidate: Candidate | None, search: Search, engine: str, formats: Sequence[str | None]
) -> Iterator[FitRow]:
    """Each predicted as ``memfit estimate`` does it."""
    for format in formats:
        for found in exact(name, search.device, search.wish, engine, [format], search.refused):
            search.considered += found.looked_at
            if candidate is not None:
                yield _row_of_card(candidate, search, found, format)
            else:
                yield row_of(name, search, found, released=None, where=_where(name))


def _rows_of_name(name: str, search: Search) -> Iterator[FitRow]:
    """A file is shown as it is, unless formats are asked for."""
    for engine in search.engines:
        yield from _rows_exactly(name, None, search, engine, [*search.wish.formats] or [None])


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
        yield row_of(file.name, search, found, released=None, where="hub")


def _rows_here(name: str, search: Search) -> Iterator[FitRow]:
    """A model that some other program keeps here; one that cannot be read is not worth an error."""
    try:
        yield from _rows_of_name(name, search)
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
        if engine == "llama_cpp":
            slots = search.wish.slots
            yield f"llama.cpp as llama-server -np {slots} --cache-ram 0 --ctx-checkpoints 0: saved prompts come on top"
        if ENGINES.get(engine).reads != "gguf":
            yield f"whether {name} has each of these architectures was not looked at"
    board = BOARDS.get(search.device.name) if search.device.name in BOARDS else None
    if board is not None and search.device.grade != "stated":
        yield from _without_desktop(board)
    if search.use is not None and not search.wish.least_tokens_per_s and search.least_tokens_per_s:
        yield (
            f"what is sure to be slower than {search.least_tokens_per_s:g} tokens/s, as the chart's own picks are not,"
            " comes after the others: --min-tps asks for a speed of your own"
        )
    asked = search.wish.context_tokens
    if any(row.at_tokens > asked for row in rows):
        yield f"sized at the next larger context of the table: memfit estimate says what {format_tokens(asked)} take"
    seeing = [row.model for row in rows if row.model in CARDS and "vision" in CARDS.get(row.model).uses]
    if seeing:
        yield "models that see: without the encoder of pictures, which memfit estimate adds with --mmproj"
    if any(Path(row.model).is_dir() and ENGINES.get(row.engine).reads == "gguf" for row in rows if row.where == "file"):
        yield "a folder of a checkpoint: as llama.cpp converts it, which has to be done first"
    if search.use is not None and search.use.source:
        yield f"{search.use.summary}: {search.use.source}"
    yield "the order is a prior of parameters, year and format, and no measurement of quality"
