"""An Ollama ``Modelfile``: the model it names and the parameters that change memory.

Parameters: Ollama's documentation of the Modelfile (docs/modelfile.md); Ollama runs llama.cpp with them.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from memfit.engine._llama_cpp.command import Command
from memfit.engine.records import Deployment, Options, Profile
from memfit.errors import UsageError

# OLLAMA_CONTEXT_LENGTH and OLLAMA_NUM_PARALLEL of a default installation (Ollama docs/faq.md)
_DEFAULT_CONTEXT = 4096
_FIELDS = {"num_ctx": "context_tokens", "num_batch": "batch_tokens", "num_gpu": "gpu_layers", "num_thread": "threads"}
_LARGEST = 64 * 1024


def is_modelfile(path: Path) -> bool:
    """Whether a file reads as a Modelfile: small text with a ``FROM`` line."""
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return False
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return any(line.strip().upper().startswith("FROM ") for line in text.splitlines())


def parse_modelfile(path: Path, profiles: dict[Profile, Options]) -> Command:
    """The deployment that ``ollama create -f PATH`` would make.

    Raises:
        UsageError: no ``FROM``, or a parameter that is not a whole number.
    """
    model: str | None = None
    adapters: list[str] = []
    changes: dict[str, object] = {
        "context_tokens": _DEFAULT_CONTEXT,
        "batch_tokens": 512,
        "slots": 1,
        "unified_kv": False,
        "output_rows": 1,
        "cache_ram_bytes": 0,
        "checkpoints": 0,
    }
    for line in path.read_text(encoding="utf-8").splitlines():
        word, _, rest = line.strip().partition(" ")
        if word.upper() == "FROM":
            model = _resolved(path, rest.strip())
        elif word.upper() == "ADAPTER":
            adapters.append(_resolved(path, rest.strip()))
        elif word.upper() == "PARAMETER":
            name, _, value = rest.strip().partition(" ")
            if name in _FIELDS:
                changes[_FIELDS[name]] = _whole(path, name, value.strip())
    if model is None:
        raise UsageError(f"{path}: no FROM line", hint="a Modelfile names its model: FROM ./model.gguf")
    options = msgspec.structs.replace(profiles["server"], **changes)
    return Command(deployment=Deployment(model=model, options=options, adapters=tuple(adapters)), profile="server")


def _resolved(modelfile: Path, name: str) -> str:
    """Paths in a Modelfile are relative to it; a plain name is a model of a registry."""
    beside = modelfile.parent / name
    return str(beside) if beside.is_file() else name


def _whole(path: Path, name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise UsageError(f"{path}: PARAMETER {name} {value!r} is not a whole number") from None
