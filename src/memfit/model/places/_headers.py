"""The headers of a model on a server, fetched into sparse files beside each other, as if the model were here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from struct import Struct

import msgspec

from memfit.errors import Malformed, ModelError
from memfit.model.gguf import read_shards, shard_paths
from memfit.remote import RemoteFile, Web
from memfit.remote.ranges import cache_folder

INDEX = "model.safetensors.index.json"
WHOLE = "model.safetensors"
# what a reader of a checkpoint's folder looks at, beside weights; all are small
BESIDE = ("config.json", "hf_quant_config.json", "quantize_config.json", "generation_config.json")
_MOST_JSON_BYTES = 64 << 20
_MOST_SAFETENSORS_HEADER_BYTES = 100_000_000  # MAX_HEADER_SIZE, safetensors/src/tensor.rs
_LENGTH = Struct("<Q")


class _Index(msgspec.Struct):
    weight_map: dict[str, str]


def fetch_gguf(web: Web, url_of: Callable[[str], str], name: str) -> Path:
    """The header of a GGUF file, or those of all its shards; returns the local path of the file named.

    Args:
        web: asks for it.
        url_of: the address of a file by its name.
        name: the file, or any shard.

    Raises:
        ModelError: it is no such file, or cannot be had.
    """
    paths = [name.rpartition("/")[0] + ("/" if "/" in name else "") + path.name for path in shard_paths(name)]
    files = [RemoteFile(web, url_of(path), cache_folder()) for path in paths]
    remotes = {file.path: file for file in files}
    chosen = files[paths.index(name)] if name in paths else files[0]
    read_shards(chosen.path, remotes=remotes)
    return chosen.path


def fetch_checkpoint(web: Web, url_of: Callable[[str], str], names: Iterable[str]) -> Path:
    """Config, index and the headers of all weights of a Hugging Face checkpoint; returns the folder they lie in.

    Args:
        web: asks for them.
        url_of: the address of a file by its name.
        names: the files of the repository.

    Raises:
        ModelError: no config, or a file that cannot be had.
    """
    held = set(names)
    if "config.json" not in held:
        raise ModelError(
            "has no config.json and no GGUF file", file=url_of("config.json"), hint="is it a model's repository?"
        )
    folder = None
    for name in BESIDE:
        if name in held:
            folder = _whole(web, url_of(name)).path.parent
    for shard in _weights(web, url_of, held):
        _safetensors_header(RemoteFile(web, url_of(shard), cache_folder()))
    assert folder is not None
    return folder


def _weights(web: Web, url_of: Callable[[str], str], held: set[str]) -> list[str]:
    if INDEX not in held:
        return [WHOLE] if WHOLE in held else []
    index = _whole(web, url_of(INDEX))
    try:
        shards = sorted(set(msgspec.json.decode(index.path.read_bytes(), type=_Index).weight_map.values()))
    except msgspec.MsgspecError as failure:
        raise Malformed(f"is no index of safetensors: {failure}", file=url_of(INDEX)) from failure
    missing = [shard for shard in shards if shard not in held]
    if missing:
        raise ModelError(f"names {missing[0]}, which the repository does not hold", file=url_of(INDEX))
    return shards


def _whole(web: Web, url: str) -> RemoteFile:
    file = RemoteFile(web, url, cache_folder())
    if file.size_bytes > _MOST_JSON_BYTES:
        raise ModelError(f"has {file.size_bytes} bytes, more than any such file", file=url)
    file.have(0, file.size_bytes)
    return file


def _safetensors_header(file: RemoteFile) -> None:
    if file.have(0, _LENGTH.size) < _LENGTH.size:
        raise Malformed("is too short for a safetensors file", file=str(file.path))
    with file.path.open("rb") as data:
        (length,) = _LENGTH.unpack(data.read(_LENGTH.size))
    if length > min(_MOST_SAFETENSORS_HEADER_BYTES, file.size_bytes - _LENGTH.size):
        raise Malformed(f"announces a header of {length} bytes", file=str(file.path), offset=0)
    file.have(0, _LENGTH.size + length)
