"""Models that are not of the catalog: those that lie on this machine, and the files of a repository to choose from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from memfit.errors import ModelError, Unreachable
from memfit.model import ModelShape, in_preset, read_shape
from memfit.model.places import hub, locate
from memfit.model.places.ollama import PREFIX as OLLAMA
from memfit.model.places.ollama import stored_models
from memfit.precision.presets import PRESETS

if TYPE_CHECKING:
    from memfit.remote.hub import Repository

# a file of a preset is as large as memfit makes it, but for its header and what a repository does its own way
_ALIKE = 0.03
_MOST_FILES = 40


@dataclass(frozen=True)
class FileOf:
    """A file of a repository, and the preset by which it was sized; None where its own header was read.

    ``cached``: the hub was not reached, and the file is one of those that ``hf download`` brought here.
    """

    name: str
    shape: ModelShape
    preset: str | None
    cached: bool = False


def on_this_machine() -> Iterator[str]:
    """Names of what Ollama and ``hf`` have brought here."""
    for stored in stored_models():
        yield f"{OLLAMA}{stored.name}"
    yield from _of_hub_cache()


def files_of(name: str) -> list[FileOf] | None:
    """Every GGUF model of a repository; None where the name is no repository of several.

    One header is fetched, of the smallest; files of a preset are sized by the preset, which their size must confirm,
    and others are asked for theirs. Without the hub they are those of its cache.

    Raises:
        ModelError, Unreachable: the repository cannot be listed or read.
    """
    if not name.startswith(hub.PREFIX):
        return None
    from memfit.remote.hub import hub_files, hub_web, parse_hub  # whoever names a file waits for no HTTP

    repository = parse_hub(name)
    if repository.file:
        return None
    try:
        sizes = {file.path: file.bytes for file in hub_files(hub_web(), repository)}
    except Unreachable:
        if hub.kept(repository, config_alone=True) is not None:
            return None  # of one model, which is read like any other
        cached = [*_cached(name, repository)]
        if not cached:
            raise
        return cached
    models = hub.models_among(list(sizes))[:_MOST_FILES]
    if len(models) < 2:
        return None
    bytes_of = {path: sum(sizes.get(shard, 0) for shard in hub.shards_of(path)) for path in models}
    address = f"{name.rstrip('/')}/"
    smallest = min(models, key=lambda path: bytes_of[path])
    shape = _read(address + smallest)
    return [_sized(address + path, shape, path, bytes_of[path]) for path in models]


def _cached(name: str, repository: Repository) -> Iterator[FileOf]:
    """The GGUF models of a repository that are on this machine."""
    for path in hub.kept_models(repository):
        yield FileOf(f"{name.rstrip('/')}/{path}", _read(f"{name.rstrip('/')}/{path}"), None, cached=True)


def _sized(name: str, shape: ModelShape, path: str, size_bytes: int) -> FileOf:
    preset = _preset_in(path)
    if preset is not None:
        made = in_preset(shape, preset)
        if abs(made.weights_bytes - size_bytes) <= _ALIKE * size_bytes:
            return FileOf(name, made, preset)
    return FileOf(name, _read(name), None)


def _preset_in(path: str) -> str | None:
    """The preset that a file's name ends with; dynamic mixes (``UD-Q4_K_XL``) are none."""
    stem = path.rpartition("/")[2].lower().removesuffix(".gguf")
    names = sorted((preset.name for preset in PRESETS), key=len, reverse=True)
    return next((name for name in names if re.search(rf"(?<!ud)[-._]{re.escape(name.lower())}$", stem)), None)


def _read(name: str) -> ModelShape:
    return read_shape(locate(name) or name)


def _of_hub_cache() -> Iterator[str]:
    from memfit.remote.hub import hub_cache

    try:
        folders = sorted(hub_cache().glob("models--*--*"))
    except OSError:
        return
    for folder in folders:
        organisation, _, repository = folder.name.removeprefix("models--").partition("--")
        name = f"{hub.PREFIX}{organisation}/{repository}"
        try:
            located = Path(locate(name) or "")
        except ModelError:
            continue
        if located.exists() and str(located).startswith(str(hub_cache())):
            yield name
