"""Hugging Face's hub: ``hf://org/repo``, ``hf://org/repo/file.gguf``; what ``hf download`` brought here comes first."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from memfit.errors import ModelError, Unreachable
from memfit.model.gguf import shard_paths
from memfit.model.places._place import Place

if TYPE_CHECKING:
    from memfit.remote.hub import HubFile, Repository

PREFIX = "hf://"
# beside the weights of a repository: image encoders, importance matrices
_NO_MODEL = re.compile(r"(^|[-_./])(mmproj|imatrix)", re.IGNORECASE)


def models_among(names: list[str]) -> list[str]:
    """The GGUF models among the files of a repository, the first shard of each."""
    models = [name for name in names if name.lower().endswith(".gguf") and not _NO_MODEL.search(name)]
    return [name for name in models if shard_paths(name)[0].name == name.rpartition("/")[2]]


def shards_of(path: str) -> list[str]:
    """All files of a model by any of them, in the repository's words."""
    folder = path.rpartition("/")[0]
    return [f"{folder}/{one.name}" if folder else one.name for one in shard_paths(path)]


_PAGE = re.compile(
    r"https://huggingface\.co/([^/]+/[^/?#]+)(?:/(?:blob|resolve|tree)/([^/?#]+))?(?:/([^?#]+))?/?(?:[?#].*)?"
)


def page_of(url: str) -> str | None:
    """The name on the hub of what a page of it shows, ``hf://org/repo/file``; None for any other address."""
    from urllib.parse import unquote

    page = _PAGE.fullmatch(url)
    if page is None:
        return None
    revision = f"@{page[2]}" if page[2] and page[2] != "main" else ""
    return f"{PREFIX}{page[1]}{revision}" + (f"/{unquote(page[3])}" if page[3] else "")


def locate(name: str) -> Path:
    """See ``Place.locate``; headers only, where it is not in the cache."""
    from memfit.remote.hub import parse_hub

    repository = parse_hub(name)
    here = kept(repository)
    if here is not None:
        return here
    try:
        return _asked(name, repository)
    except Unreachable:
        config = kept(repository, config_alone=True)
        if config is None:
            raise
        return config  # it tells all but how the weights are stored


def _asked(name: str, repository: Repository) -> Path:
    # here and not above: whoever names a file waits for no HTTP
    from memfit.model.places._headers import fetch_checkpoint, fetch_gguf
    from memfit.remote.hub import file_url, hub_files, hub_web

    web = hub_web()

    def url_of(path: str) -> str:
        return file_url(repository, path)

    if repository.file.lower().endswith(".gguf"):
        return fetch_gguf(web, url_of, repository.file)
    if repository.file:
        raise ModelError(
            "is no GGUF file", file=name, hint=f"give the repository, hf://{repository.name}, or one of its .gguf files"
        )
    files = hub_files(web, repository)
    names = [file.path for file in files]
    models = models_among(names)
    if models:
        return fetch_gguf(web, url_of, _only(name, repository, models, files))
    return fetch_checkpoint(web, url_of, names)


def _only(name: str, repository: Repository, models: list[str], files: tuple[HubFile, ...]) -> str:
    if len(models) == 1:
        return models[0]
    shown = ", ".join(models[:4]) + (f" and {len(models) - 4} more" if len(models) > 4 else "")
    raise ModelError(
        f"holds {len(models)} models: {shown}",
        file=name,
        hint=f"name one, hf://{repository.name}/{models[0]}; memfit fit {PREFIX}{repository.name} says which",
    )


def kept(repository: Repository, *, config_alone: bool = False) -> Path | None:
    """What ``hf download`` brought here of it: weights, or with ``config_alone`` a config without them."""
    from memfit.remote.hub import cached_snapshot

    snapshot = cached_snapshot(repository)
    if snapshot is None:
        return None
    if repository.file:
        file = snapshot / repository.file
        return file if file.is_file() else None
    config = (snapshot / "config.json").is_file()
    if config and any(snapshot.glob("*.safetensors")):
        return snapshot
    models = kept_models(repository)
    if len(models) == 1:
        return snapshot / models[0]
    return snapshot if config and config_alone else None


def kept_models(repository: Repository) -> list[str]:
    """The GGUF models among what ``hf download`` brought here of a repository."""
    from memfit.remote.hub import cached_snapshot

    snapshot = cached_snapshot(repository)
    return (
        [] if snapshot is None else models_among(sorted(str(f.relative_to(snapshot)) for f in snapshot.rglob("*.gguf")))
    )


PLACE = Place(
    summary="a repository or file on Hugging Face's hub: hf://Qwen/Qwen3-4B-GGUF/Qwen3-4B-Q4_K_M.gguf",
    matches=lambda name: name.startswith(PREFIX),
    locate=locate,
)
