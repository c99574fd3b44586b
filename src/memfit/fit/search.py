"""What can run on a device, for a use: every model of the catalog in every format on every engine, best row of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from memfit.device.records import Device
from memfit.engine._engine import Models
from memfit.engine.runtimes import ENGINES
from memfit.errors import ModelError
from memfit.fit import rank
from memfit.fit.candidates import chosen, others
from memfit.fit.catalogued import rows_of_catalog
from memfit.fit.elsewhere import FileOf, files_of, on_this_machine
from memfit.fit.exact import FORMATS_LOOKED_AT, exact, exact_of
from memfit.fit.notes import notes_of
from memfit.fit.records import Fit, FitRow, Wish
from memfit.fit.rows import Search, row_of, search_of
from memfit.fit.spoken import rows_of, speech_models
from memfit.fit.uses import USES
from memfit.model.places import locate


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
    silent: list[str] = []
    cached: list[str] = []
    for candidate in candidates:
        if not _take(rows, [*rows_of_catalog(candidate, search)], search, every_row=every_row):
            silent.append(candidate.name)
    for model in speech_models(models, use.needs if use else ()):
        if not _take(rows, [*rows_of(model, search)], search, every_row=every_row):
            silent.append(model.name)
    for name in others(models):
        files = files_of(name)
        if files is not None:  # they are to be chosen from
            _take(rows, [*_rows_of_files(files, search)], search, every_row=True)
            cached += [name] if any(file.cached for file in files) else []
        elif not _take(rows, [*_rows_of_name(name, search)], search, every_row=every_row):
            if search.refused and isinstance(search.refused[-1], ModelError):
                raise search.refused[-1]  # there is something wrong with it, and not with the wish
            silent.append(name)
    if not models and device.here:
        for name in on_this_machine():
            _take(rows, [*_rows_here(name, search)], search, every_row=every_row)
    if not rows and search.refused:
        raise search.refused[-1]
    prefers = use.prefers if use else "large"
    rows.sort(key=lambda row: rank.sort_key(row, least_tokens_per_s=search.least_tokens_per_s, prefers=prefers))
    missing = [f"{name}: none of the engines and formats that were asked for takes it" for name in silent if models]
    missing += [f"{name}: the hub cannot be reached; these are the files that are in its cache here" for name in cached]
    return Fit(
        device=device,
        wish=wish,
        rows=tuple(rows),
        considered=search.considered,
        left_out=left_out,
        target_tokens_per_s=search.least_tokens_per_s,
        notes=(*missing, *notes_of(search, rows)),
    )


def _take(rows: list[FitRow], found: list[FitRow], search: Search, *, every_row: bool) -> bool:
    """Whether there was anything to take."""
    if not found:
        return False
    if search.use is not None and found[0].model in search.use.advised:
        found = [msgspec.structs.replace(row, named=True) for row in found]
    if every_row:
        rows.extend(found)
    else:
        rows.append(min(found, key=lambda row: rank.best_key(row, least_tokens_per_s=search.least_tokens_per_s)))
    return True


def _rows_of_name(name: str, search: Search) -> Iterator[FitRow]:
    """A file is shown as it is, unless formats are asked for; a checkpoint's folder in those that it converts to."""
    place = locate(name) or name  # asked once: every format would ask a server again
    checkpoint = Path(place).is_dir() or Path(place).name == "config.json"
    for engine in search.engines:
        formats: list[str | None] = [*search.wish.formats] or [None]
        if checkpoint and ENGINES.get(engine).reads == "gguf":
            formats = [*(search.wish.formats or FORMATS_LOOKED_AT)]
            search.converted = True
        for found in exact(place, search.device, search.wish, engine, formats, search.refused):
            search.considered += found.looked_at
            yield row_of(name, search, found, released=None, where=_where(name))


def _rows_of_files(files: list[FileOf], search: Search) -> Iterator[FitRow]:
    for file in files:
        models = Models(model=file.shape)
        found = exact_of(file.name, models, search.device, search.wish, "llama_cpp", file.preset, as_stored=True)
        search.considered += found.looked_at
        yield row_of(file.name, search, found, released=None, where="hub")


def _rows_here(name: str, search: Search) -> Iterator[FitRow]:
    """A model that some other program keeps here; one that cannot be read is not worth an error."""
    try:
        yield from _rows_of_name(name, search)
    except ModelError:
        return


def _where(name: str) -> str:
    kind = name.partition(":")[0]
    return {"ollama": "ollama", "hf": "hub"}.get(kind, "file")
