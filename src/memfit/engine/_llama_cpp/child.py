"""The oracle's child process: what it loads, how it is started, and what its failures mean."""

from __future__ import annotations

import importlib.util
import math
import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, Union

import msgspec

from memfit.engine._llama_cpp.ask import WITHOUT_IT, ask
from memfit.errors import EngineFailed, EngineMissing
from memfit.model.gguf.header import Header
from memfit.model.gguf.shards import read_shards
from memfit.model.gguf.writer import TensorSpec, Writable, write_model, write_stub
from memfit.units import GIB, format_bytes

T = TypeVar("T")

DEFAULT_TIMEOUT_S = 60.0
# The child touches about 35 MiB of the 80 MiB it maps; an engine whose buffers cannot be made hollow needs more for
# recurrent state and rows of logits
DEFAULT_MEMORY_BYTES = GIB

_CHILD = Path(__file__).parent / "_child" / "run.py"
_NO_VOCABULARY = {"tokenizer.ggml.model": "no_vocab"}
_OUT_OF_MEMORY = re.compile(r"bad_alloc|failed to allocate|unable to allocate|cannot allocate memory|MemoryError", re.I)


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """A model that is in no file.

    Attributes:
        metadata: hyperparameters by whole GGUF key; ``general.architecture`` and ``{arch}.vocab_size`` must be there.
        tensors: name, dims (row first) and format of every tensor. Without any the engine makes its own, all in F32
            and all optional ones too, and repacks none: caches and graphs are then right, weights are not.
    """

    metadata: Mapping[str, Writable]
    tensors: Sequence[TensorSpec] = ()


Source = Union[Path, Header, Described]


def is_installed() -> bool:
    """Whether there is an engine to ask; imports nothing."""
    return importlib.util.find_spec("llama_cpp") is not None


def run_child(
    model: Source, job: dict[str, Any], *, program: Sequence[str] | None, timeout_s: float, memory_bytes: int
) -> bytes:
    """The child's answer to ``job`` about ``model``, as JSON.

    Raises:
        EngineMissing, EngineFailed, ModelError: as ``oracle.reserve``.
    """
    library = str(package_folder()) if program is None or is_installed() else ""
    command = program or [sys.executable, "-I", "-S", str(_CHILD)]
    environment = {**os.environ, "GGML_NO_BACKTRACE": "1"}  # else an abort starts a debugger
    if not job["needs_gpu"]:
        environment["CUDA_VISIBLE_DEVICES"] = ""  # a CUDA build would take GPU memory only to answer for the CPU
    with tempfile.TemporaryDirectory(prefix="memfit-") as temporary:
        question = {
            **job,
            "model": _stub(model, Path(temporary) / "stub.gguf"),
            "library": library,
            "search": [path for path in sys.path if path],
            "memory_bytes": memory_bytes,
            "time_s": math.ceil(timeout_s) + 1,  # so that the parent is the one who notices
        }
        try:
            raw = ask(command, msgspec.json.encode(question), timeout_s=timeout_s, environment=environment)
        except EngineFailed as failure:
            if lacks_memory(failure.said):
                raise out_of_memory(memory_bytes, failure.said) from failure
            raise
    answer = decode(raw, _Failure)
    if answer.no_gpu:
        raise EngineMissing(
            "the installed llama.cpp has no GPU backend",
            hint="build llama-cpp-python with CUDA on the device, or ask for --backend cpu",
        )
    if answer.failed is not None:
        _fail(answer.failed, memory_bytes, model)
    return raw


def _stub(model: Source, path: Path) -> dict[str, str]:
    """Write what the engine loads; its tensors' data is a hole in a sparse file."""
    if isinstance(model, Path):
        model = read_shards(model)
    if isinstance(model, Header):
        write_stub(model, path)
        return {"stub": str(path)}
    write_model(path, {**model.metadata, **_NO_VOCABULARY}, model.tensors)
    return {"stub" if model.tensors else "metadata": str(path)}


class _Failed(msgspec.Struct):
    what: str
    why: str
    log: str


class _Failure(msgspec.Struct):
    failed: _Failed | None = None
    no_gpu: bool = False


def decode(raw: bytes, kind: type[T]) -> T:
    """An answer of this kind.

    Raises:
        EngineFailed: it is something else.
    """
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.MsgspecError as error:
        start = raw[:200].decode(errors="replace")
        raise EngineFailed(f"the engine's answer makes no sense: {error}", hint=WITHOUT_IT, said=start) from None


def _fail(failed: _Failed, memory_bytes: int, model: Source) -> None:
    if lacks_memory(failed.why):
        raise out_of_memory(memory_bytes, failed.why)
    file = str(model) if isinstance(model, Path) else model.path if isinstance(model, Header) else None
    cause = "the file is damaged, or made for another version of llama.cpp"
    if "unknown model architecture" in failed.why:
        cause = "a newer llama-cpp-python may know it"
    raise EngineFailed(
        f"{'' if file is None else f'{file}: '}llama.cpp could not {failed.what}: {first_line(failed.why)}",
        hint=f"{cause}; --source formula asks no engine",
        said=failed.log,
    )


def lacks_memory(said: str) -> bool:
    """Whether this is the complaint of a process that got no more memory."""
    return _OUT_OF_MEMORY.search(said) is not None


def out_of_memory(memory_bytes: int, said: str) -> EngineFailed:
    """The failure to raise for it."""
    return EngineFailed(
        f"the engine ran out of the {format_bytes(memory_bytes)} it may take to answer",
        hint="ask for fewer slots and a smaller context, or compute it with --source formula",
        said=said,
    )


def first_line(text: str) -> str:
    """The first complaint without the engine's function name, which is the cause; later ones follow from it."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "it gave no reason")
    return re.sub(r"^\w+: ", "", line)


def package_folder() -> Path:
    """Where llama-cpp-python lies.

    Raises:
        EngineMissing: it is not installed.
    """
    spec = importlib.util.find_spec("llama_cpp")
    if spec is None or not spec.submodule_search_locations:
        raise EngineMissing(
            "llama-cpp-python is not installed, so llama.cpp cannot be asked",
            hint="pip install 'memfit[llama]', or take the formulas instead of the engine",
        )
    return Path(next(iter(spec.submodule_search_locations)))


def package_version() -> str | None:
    """The installed llama-cpp-python's version. Read and not imported: the import takes longer than an answer."""
    try:
        text = (package_folder() / "__init__.py").read_text(encoding="utf-8")
    except (OSError, EngineMissing):
        return None
    found = re.search(r"__version__\s*=\s*[\"']([^\"']+)", text)
    return found[1] if found else None
