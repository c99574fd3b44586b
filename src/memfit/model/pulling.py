"""Which files a model's name means when it is to be brought here."""

from __future__ import annotations

import re
from pathlib import Path

from memfit.errors import ModelError, UsageError
from memfit.model.gguf import shard_paths
from memfit.model.places import hub
from memfit.model.sending import OF_CHECKPOINT
from memfit.remote.download import Wanted
from memfit.remote.hub import HubFile, Repository, file_url, hub_files, parse_hub
from memfit.remote.web import Web


def wanted_files(name: str, web: Web, *, mirror: Path | None = None) -> tuple[Wanted, ...]:
    """The files of ``hf://org/repo[/file]`` or ``https://host/file``, with published sizes and checksums.

    Args:
        name: of the model.
        web: asks for the list.
        mirror: a folder that holds copies of repositories, ``MIRROR/org/repo/file``; nothing is then asked of a server.

    Raises:
        ModelError: there is no such file, or several models of which one must be named.
        UsageError: a name of another kind.
        Unreachable: the server does not answer.
    """
    if re.match(r"https?://", name, re.IGNORECASE):
        page = hub.page_of(name)
        if page is None:
            return _of_server(name)
        name = page
    if not name.startswith(hub.PREFIX):
        raise UsageError(
            f"not a place to bring a model from: {name!r}",
            hint="write hf://org/repo/file.gguf, or https://host/file.gguf",
        )
    repository = parse_hub(name)
    files = _of_mirror(mirror, repository) if mirror is not None else hub_files(web, repository)
    chosen = _chosen(name, repository, files)
    return tuple(_wanted(repository, file, mirror) for file in chosen)


def _of_server(url: str) -> tuple[Wanted, ...]:
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(url)
    before, _, last = unquote(parts.path).rpartition("/")
    if not last or last in (".", ".."):
        raise UsageError(f"{url!r} names no file", hint="give the address of a file")
    return tuple(
        Wanted(name=path.name, url=parts._replace(path=f"{before}/{path.name}").geturl()) for path in shard_paths(last)
    )


def _chosen(name: str, repository: Repository, files: tuple[HubFile, ...]) -> list[HubFile]:
    by_path = {file.path: file for file in files}
    if repository.file:
        folder = repository.file.rpartition("/")[0]
        paths = [f"{folder}/{one.name}" if folder else one.name for one in shard_paths(repository.file)]
        missing = [path for path in paths if path not in by_path]
        if missing:
            raise ModelError(
                "there is no such file in the repository",
                file=f"{hub.PREFIX}{repository.name}/{missing[0]}",
                hint=f"it holds {_few(sorted(by_path))}" if by_path else "it holds no files",
            )
        return [by_path[path] for path in paths]
    models = hub.models_among(list(by_path))
    if models:
        return _chosen(name, Repository(name=repository.name, file=_only(name, repository, models)), files)
    checkpoint = [file for file in files if OF_CHECKPOINT.fullmatch(file.path)]
    if not any(file.path.endswith(".safetensors") for file in checkpoint):
        raise ModelError("holds no model", file=name, hint=f"it holds {_few(sorted(by_path))}" if by_path else None)
    return checkpoint


def _only(name: str, repository: Repository, models: list[str]) -> str:
    if len(models) == 1:
        return models[0]
    raise ModelError(
        f"holds {len(models)} models: {_few(models)}",
        file=name,
        hint=f"name one: memfit pull {hub.PREFIX}{repository.name}/{models[0]}; memfit fit {name} says which fits",
    )


def _wanted(repository: Repository, file: HubFile, mirror: Path | None) -> Wanted:
    # a GGUF file is one's own; the files of a checkpoint belong into a folder of their own
    last = file.path.rpartition("/")[2]
    name = last if last.lower().endswith(".gguf") else f"{repository.name.rpartition('/')[2]}/{last}"
    if mirror is not None:
        path = mirror / repository.name / file.path
        return Wanted(name=name, path=str(path), bytes=file.bytes)
    return Wanted(name=name, url=file_url(repository, file.path), bytes=file.bytes, sha256=file.sha256)


def _of_mirror(mirror: Path, repository: Repository) -> tuple[HubFile, ...]:
    folder = mirror / repository.name
    if not folder.is_dir():
        raise ModelError(
            "the mirror does not hold this repository",
            file=str(folder),
            hint=f"copy it there: {mirror}/{repository.name}/…",
        )
    return tuple(
        HubFile(path=str(path.relative_to(folder)), bytes=path.stat().st_size)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    )


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
