"""Hugging Face's hub: what a repository holds, and where each of its files is.

Addresses as ``huggingface_hub`` 1.x asks them: ``/api/models/REPO/tree/REVISION`` and ``/REPO/resolve/REVISION/FILE``.
``HF_ENDPOINT`` names a mirror, ``HF_TOKEN`` or the file that ``hf auth login`` writes a token.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import msgspec

from memfit.errors import ModelError, UsageError
from memfit.remote.web import Web

ENDPOINT = "https://huggingface.co"
_NAME = re.compile(r"hf://(?P<repository>[^/@\s]+/[^/@\s]+)(?:@(?P<revision>[^/\s]+))?(?:/(?P<file>\S+))?")
_MOST_LIST_BYTES = 16 << 20
_MOST_PAGES = 20
_NEXT = re.compile(r"<([^>]+)>;\s*rel=\"?next\"?")


class Repository(msgspec.Struct, frozen=True, kw_only=True):
    """A repository at one revision, and the file meant, empty for all of it."""

    name: str
    revision: str = "main"
    file: str = ""


class HubFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a repository; ``sha256`` is empty for small ones, of which the hub keeps none."""

    path: str
    bytes: int
    sha256: str = ""


class _Stored(msgspec.Struct):
    oid: str = ""


class _Entry(msgspec.Struct):
    type: str
    path: str
    size: int = 0
    lfs: _Stored | None = None


def parse_hub(name: str) -> Repository:
    """``hf://org/repo[@revision][/file]``.

    Raises:
        UsageError: it is written otherwise.
    """
    match = _NAME.fullmatch(name.rstrip("/"))
    if match is None or not _is_inside(match["file"] or "all"):
        raise UsageError(
            f"not a name on Hugging Face's hub: {name!r}",
            hint="write hf://Qwen/Qwen3-4B-GGUF, or with a file: hf://Qwen/Qwen3-4B-GGUF/Qwen3-4B-Q4_K_M.gguf",
        )
    return Repository(name=match["repository"], revision=match["revision"] or "main", file=match["file"] or "")


def hub_web() -> Web:
    """A door that shows the hub's token to the hub and to nobody else."""
    host = urlsplit(endpoint()).netloc

    def token(url: str) -> str | None:
        return _token() if urlsplit(url).netloc == host else None

    return Web(token)


def endpoint() -> str:
    """The hub or a mirror of it, without a slash at its end."""
    return (os.environ.get("HF_ENDPOINT") or ENDPOINT).rstrip("/")


def file_url(repository: Repository, path: str) -> str:
    """Where a file of a repository is."""
    return f"{endpoint()}/{repository.name}/resolve/{quote(repository.revision, safe='')}/{quote(path)}"


def hub_files(web: Web, repository: Repository) -> tuple[HubFile, ...]:
    """Every file of a repository.

    Raises:
        Unreachable, ModelError: as ``Web.get``; the answer is no list of files.
    """
    url: str | None = (
        f"{endpoint()}/api/models/{repository.name}/tree/{quote(repository.revision, safe='')}?recursive=true"
    )
    files: list[HubFile] = []
    pages = 0
    while url:
        pages += 1
        if pages > _MOST_PAGES:
            raise ModelError(f"its list of files has more than {_MOST_PAGES} pages", file=url)
        with web.get(url) as answer:
            files.extend(_files(answer.all(_MOST_LIST_BYTES), url))
            following = _NEXT.search(answer.headers.get("Link") or "")
        url = following[1] if following else None
    return tuple(files)


def _files(body: bytes, url: str) -> Iterator[HubFile]:
    try:
        entries = msgspec.json.decode(body, type=list[_Entry])
    except msgspec.MsgspecError as failure:
        raise ModelError(f"its answer is no list of files: {failure}", file=url) from failure
    for entry in entries:
        parts = entry.path.split("/")
        # a name leads to a file on this machine: it must not lead out of its folder
        if (
            entry.type != "file"
            or entry.size < 0
            or any(part in ("", ".", "..") for part in parts)
            or "\0" in entry.path
        ):
            continue
        digest = entry.lfs.oid.removeprefix("sha256:") if entry.lfs else ""
        yield HubFile(path=entry.path, bytes=entry.size, sha256=digest if re.fullmatch(r"[0-9a-f]{64}", digest) else "")


def _is_inside(path: str) -> bool:
    """Whether a name stays in its folder: it becomes a file of this machine."""
    return "\0" not in path and not any(part in ("", ".", "..") for part in path.split("/"))


def hub_cache() -> Path:
    """Where ``huggingface_hub`` keeps what it downloaded."""
    given = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    return Path(given) if given else _home() / "hub"


def cached_snapshot(repository: Repository) -> Path | None:
    """The folder of a repository's files in that cache, as its revision was downloaded; None where it was not."""
    folder = hub_cache() / f"models--{repository.name.replace('/', '--')}"
    try:
        commit = (folder / "refs" / repository.revision).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        commit = repository.revision
    if not re.fullmatch(r"[0-9A-Za-z._-]+", commit):
        return None
    snapshot = folder / "snapshots" / commit
    return snapshot if snapshot.is_dir() else None


def _home() -> Path:
    given = os.environ.get("HF_HOME")
    if given:
        return Path(given)
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path(os.environ.get("HOME", "/")) / ".cache") / "huggingface"


def _token() -> str | None:
    given = os.environ.get("HF_TOKEN") or os.environ.get("HUGGING_FACE_HUB_TOKEN")
    if given is None:
        try:
            given = (_home() / "token").read_text(encoding="utf-8")
        except (OSError, ValueError):
            return None
    given = given.strip()
    return given if re.fullmatch(r"[\x21-\x7e]+", given) else None
