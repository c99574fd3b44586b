"""Ollama's store on this machine: ``ollama:llama3.2:3b``.

Layout after manifest/manifest.go of ollama/ollama @ 00188139: ``manifests-v2/HOST/NAMESPACE/MODEL/TAG``, or
``manifests/…`` of older versions, is a JSON of layers, each a file ``blobs/sha256-…``, or a list of such manifests,
one for each runner. The layer of type ``application/vnd.ollama.image.model`` is a GGUF file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from memfit.errors import ModelError, UsageError
from memfit.model.places._place import Place

PREFIX = "ollama:"
_MANIFEST_VERSION = 2
_ROOTS = ("manifests-v2", "manifests")
_HOSTS = ("registry.ollama.ai", "ollama.com")
_LIST = "application/vnd.ollama.manifest.list.v2+json"
_RUNNERS = ("ollama", "llamacpp", "")  # those that run GGUF files, as Ollama prefers them on Linux
_MOST_MANIFEST_BYTES = 4 << 20
_TYPE = "application/vnd.ollama.image."
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_NAME = re.compile(
    r"(?:(?:(?P<host>[^/\s:]+(?::\d+)?)/)?(?P<namespace>[^/\s:]+)/)?(?P<model>[^/\s:]+)(?::(?P<tag>[^/\s:]+))?"
)


class _Layer(msgspec.Struct):
    mediaType: str = ""  # noqa: N815 - as it stands in the file
    digest: str = ""
    size: int = 0


class _Manifest(msgspec.Struct):
    schemaVersion: int = 0  # noqa: N815 - as it stands in the file
    mediaType: str = ""  # noqa: N815 - as it stands in the file
    runner: str = ""
    digest: str = ""
    layers: list[_Layer] = []
    manifests: list[_Manifest] = []


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A model of the store.

    Attributes:
        name: as Ollama lists it, ``llama3.2:3b``.
        model: its GGUF file.
        projector: the file of its image encoder, None without.
        adapters: LoRA files.
        parameters: its own options, ``num_ctx`` among them where its maker set it.
        bytes: of all layers.
    """

    name: str
    model: Path
    projector: Path | None = None
    adapters: tuple[Path, ...] = ()
    parameters: dict[str, object] = {}
    bytes: int = 0


def store_folders() -> tuple[Path, ...]:
    """Where Ollama keeps models: as the user says, as a user's own server does, as its Linux service does."""
    given = os.environ.get("OLLAMA_MODELS")
    if given:
        return (Path(given),)
    return (Path(os.environ.get("HOME", "/")) / ".ollama" / "models", Path("/usr/share/ollama/.ollama/models"))


def stored(name: str) -> Stored:
    """A model of the store by its name, with or without ``ollama:``.

    Raises:
        UsageError: no name as Ollama writes them.
        ModelError: it is not there (the hint names what is), cannot be read, or is stored in a way that is not known.
    """
    host, namespace, model, tag = _parts(name.removeprefix(PREFIX))
    shown = _shown(host, namespace, model, tag)
    for folder in store_folders():
        for root in _ROOTS:
            for where in _HOSTS if host in _HOSTS else (host,):
                manifest = folder / root / where / namespace / model / tag
                if _is_file(manifest):
                    return _read(folder, manifest, shown)
    known = {one for one, _ in _names()}
    raise ModelError(
        f"Ollama has no model {shown!r} on this machine",
        file=str(store_folders()[0]),
        hint=f"it has {', '.join(sorted(known)[:8])}" if known else "ollama pull it, or set OLLAMA_MODELS to its store",
    )


def stored_models() -> Iterator[Stored]:
    """Every model of the store that can be read."""
    seen = set()
    for shown, (folder, manifest) in _names():
        if shown in seen:
            continue
        seen.add(shown)
        try:
            yield _read(folder, manifest, shown)
        except ModelError:
            continue


def _parts(name: str) -> tuple[str, str, str, str]:
    match = _NAME.fullmatch(name)
    parts = [] if match is None else [part for part in match.groups() if part is not None]
    if match is None or not all(_PART.fullmatch(part.partition(":")[0]) and ".." not in part for part in parts):
        raise UsageError(
            f"not a model of Ollama's: {PREFIX}{name}", hint="write it as `ollama list` shows it: ollama:llama3.2:3b"
        )
    return (
        match["host"] or "registry.ollama.ai",
        match["namespace"] or "library",
        match["model"],
        match["tag"] or "latest",
    )


def _shown(host: str, namespace: str, model: str, tag: str) -> str:
    if host not in _HOSTS:
        return f"{host}/{namespace}/{model}:{tag}"
    return f"{model}:{tag}" if namespace == "library" else f"{namespace}/{model}:{tag}"


def _names() -> Iterator[tuple[str, tuple[Path, Path]]]:
    for folder, root in ((folder, root) for folder in store_folders() for root in _ROOTS):
        try:
            manifests = sorted((folder / root).glob("*/*/*/*"))
        except OSError:
            continue
        for manifest in manifests:
            if _is_file(manifest) and not manifest.name.startswith("."):
                host, namespace, model, tag = manifest.parts[-4:]
                yield _shown(host, namespace, model, tag), (folder, manifest)


def _read(folder: Path, manifest: Path, shown: str) -> Stored:
    layers = _runnable(folder, _manifest(manifest), manifest).layers
    files: dict[str, list[Path]] = {}
    for layer in layers:
        if layer.mediaType.startswith(_TYPE):
            files.setdefault(layer.mediaType.removeprefix(_TYPE), []).append(_blob(folder, manifest, layer.digest))
    if "model" not in files:
        kind = "a model of many tensors, which runs on Ollama's own engine" if "tensor" in files else "no model"
        raise ModelError(
            f"holds {kind} and no GGUF file",
            file=str(manifest),
            hint="give a GGUF file of it, or the well-known model (memfit list models)",
        )
    return Stored(
        name=shown,
        model=files["model"][0],
        projector=files["projector"][0] if "projector" in files else None,
        adapters=tuple(files.get("adapter", ())),
        parameters=_parameters(files["params"][0]) if "params" in files else {},
        bytes=sum(max(layer.size, 0) for layer in layers),
    )


def _runnable(folder: Path, found: _Manifest, path: Path) -> _Manifest:
    """The manifest itself, or of a list the one whose runner takes GGUF files."""
    if found.mediaType != _LIST:
        return found
    for runner in _RUNNERS:
        for child in found.manifests:
            if child.runner.lower() == runner:
                return child if child.layers else _manifest(_blob(folder, path, child.digest))
    kinds = ", ".join(sorted({child.runner or "unnamed" for child in found.manifests})) or "none"
    raise ModelError(
        f"is made for other runners than llama.cpp ({kinds})",
        file=str(path),
        hint="give a GGUF file of it, or the well-known model (memfit list models)",
    )


def _manifest(path: Path) -> _Manifest:
    hint = "pull the model again; this store may be of an Ollama that memfit does not know"
    try:
        with path.open("rb") as file:
            manifest = msgspec.json.decode(file.read(_MOST_MANIFEST_BYTES), type=_Manifest)
    except OSError as failure:
        raise ModelError(
            f"cannot be read: {failure.strerror}",
            file=str(path),
            hint="run as the user of Ollama's service, or with sudo",
        ) from failure
    except msgspec.MsgspecError as failure:
        raise ModelError(f"is no manifest of Ollama's: {failure}", file=str(path), hint=hint) from failure
    if manifest.schemaVersion != _MANIFEST_VERSION:
        raise ModelError(
            f"schemaVersion is {manifest.schemaVersion}, and memfit knows {_MANIFEST_VERSION}",
            file=str(path),
            hint=hint,
        )
    return manifest


def _blob(folder: Path, manifest: Path, digest: str) -> Path:
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise ModelError(f"names a layer {digest[:80]!r}, which is no digest", file=str(manifest), hint="pull it again")
    return folder / "blobs" / digest.replace(":", "-")


def _parameters(path: Path) -> dict[str, object]:
    try:
        found = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


PLACE = Place(
    summary="a model of Ollama's store on this machine: ollama:llama3.2:3b",
    matches=lambda name: name.startswith(PREFIX),
    locate=lambda name: stored(name).model,
)
