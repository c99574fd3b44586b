"""Which files a model on this machine consists of, when it is to be sent elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

from memfit.errors import ModelError
from memfit.model.folder import CONFIG, folder_shape
from memfit.model.gguf import read_shards
from memfit.model.places import locate
from memfit.model.places.ollama import PREFIX as OLLAMA

# what an engine reads of a checkpoint; other weights of the same numbers (.bin, .onnx, original/) stay here
OF_CHECKPOINT = re.compile(r"[^/]+\.(safetensors|json|jinja|model|txt|tiktoken)")


def name_there(name: str, file: Path) -> str:
    """What a file is called where it is sent: a blob of Ollama's store, which is called by its digest, by its model."""
    if not name.startswith(OLLAMA):
        return file.name
    return re.sub(r"[^\w.-]+", "-", name.removeprefix(OLLAMA)).strip("-.") + ".gguf"


def files_of(name: str) -> tuple[str, tuple[Path, ...]]:
    """The folder that they belong into there, empty for a GGUF file, and the files.

    What is no model, or is not complete, is refused: every header is read, and an index's shards are looked for.

    Raises:
        ModelError: a file or folder that cannot be used, or holds no weights.
    """
    path = Path(locate(name) or name)
    if not (path / CONFIG).is_file():
        return "", tuple(Path(shard.path) for shard in read_shards(path).shards)
    if not folder_shape(path).shards:
        raise ModelError("holds a config and no weights", file=str(path), hint="bring them: memfit pull hf://org/repo")
    files = [one for one in path.iterdir() if one.is_file() and OF_CHECKPOINT.fullmatch(one.name)]
    return path.resolve().name, tuple(sorted(files))
