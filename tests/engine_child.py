"""Asks llama.cpp about stub files, in a process of its own: which tensors it takes, what its caches hold to the byte.

Independent of the product's own way to ask. Run as a script with one JSON list of jobs on its input.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

HAS_ENGINE = importlib.util.find_spec("llama_cpp") is not None


def ask(jobs: list[dict[str, Any]], *, timeout_s: float = 300) -> list[dict[str, Any]]:
    """Answers to ``jobs`` (``path``, ``contexts``: parameters of each), from one child process."""
    done = subprocess.run(
        [sys.executable, __file__],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if "ASSERT" in line or "rror" in line]
        raise AssertionError(f"the engine died with {done.returncode}: {said[:10] or done.stderr[-3000:]}")
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def load_library() -> Any:
    """The package's bindings without its ``__init__``, which imports numpy."""
    spec = importlib.util.find_spec("llama_cpp")
    assert spec is not None
    assert spec.submodule_search_locations
    package = types.ModuleType("llama_cpp")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["llama_cpp"] = package
    return importlib.import_module("llama_cpp.llama_cpp")


class Map(ctypes.Structure):
    """A ``std::map`` returned by value, as libstdc++ lays it out."""

    _fields_ = (
        ("compare", ctypes.c_size_t),
        ("colour", ctypes.c_size_t),
        ("root", ctypes.c_size_t),
        ("left", ctypes.c_size_t),
        ("right", ctypes.c_size_t),
        ("count", ctypes.c_size_t),
    )


def map_values(found: Map, words: int) -> list[tuple[int, ...]]:
    """Key and ``words`` values of every node."""
    pending, nodes = [found.root] if found.count else [], []
    while pending:
        address = pending.pop()
        content = (ctypes.c_size_t * (5 + words)).from_address(address)
        pending += [child for child in content[2:4] if child]
        nodes.append(tuple(content[4:]))
    assert len(nodes) == found.count
    return nodes


def _projector(api: Any, job: dict[str, Any], log: list[str]) -> dict[str, Any]:
    """Bytes of weights and compute buffers that ``mtmd_get_memory_usage`` counts for a projector file."""
    multimodal = importlib.import_module("llama_cpp.mtmd_cpp")
    log.clear()
    params = multimodal.mtmd_context_params_default()
    params.use_gpu = False
    for name, value in job["projector"].items():
        setattr(params, name, value)
    usage = multimodal._libmtmd._Z21mtmd_get_memory_usagePKc19mtmd_context_params
    usage.restype, usage.argtypes = Map, [ctypes.c_char_p, type(params)]
    found = usage(job["path"].encode(), params)
    return {"loaded": bool(found.count), "bytes": sum(node[1] for node in map_values(found, 1)), "log": "".join(log)}


def _answer(api: Any, job: dict[str, Any], log: list[str]) -> dict[str, Any]:
    if "projector" in job:
        return _projector(api, job, log)
    log.clear()
    params = api.llama_model_default_params()
    params.no_alloc, params.load_mode, params.use_extra_bufts = True, 0, False
    for name, value in job.get("model", {}).items():
        setattr(params, name, value)
    model = api.llama_model_load_from_file(job["path"].encode(), params)
    if not model:
        return {"loaded": False, "log": "".join(log)[-4000:], "contexts": []}
    answer = {"loaded": True, "log": "".join(log), "weights": api.llama_model_size(model), "contexts": []}
    answer["contexts"] = [_context(api, model, settings, log) for settings in job["contexts"]]
    answer["adapters"] = [_adapter(api, model, path, log) for path in job.get("adapters", ())]
    api.llama_model_free(model)
    return answer


def _context(api: Any, model: Any, settings: dict[str, Any], log: list[str]) -> dict[str, Any]:
    log.clear()
    params = api.llama_context_default_params()
    for name, value in settings.items():
        setattr(params, name, value)
    context = api.llama_init_from_model(model, params)
    if not context:
        return {"made": False, "log": "".join(log)[-4000:]}
    breakdown = api._lib._Z26llama_get_memory_breakdownPK13llama_context
    breakdown.restype, breakdown.argtypes = Map, [ctypes.c_void_p]
    nodes = map_values(breakdown(context), 3)
    api.llama_free(context)
    weights, cache = (sum(node[index] for node in nodes) for index in (1, 2))
    return {"made": True, "weights": weights, "cache": cache, "log": "".join(log)}


# llama_adapter_lora, src/llama-adapter.h: a pointer, an unordered_map and a vector lie before its buffers
_BUFFERS_OFFSET = 8 + 56 + 24


def _adapter(api: Any, model: Any, path: str, log: list[str]) -> dict[str, Any]:
    """Whether an adapter loads, bytes of its buffers, and what the log says of them in MiB."""
    log.clear()
    adapter = api.llama_adapter_lora_init(model, path.encode())
    text = "".join(log)
    said = sum(float(line.split()[-2]) for line in text.splitlines() if "LoRA buffer size" in line)
    size = 0
    if adapter:
        size_of = api._lib.ggml_backend_buffer_get_size
        size_of.restype, size_of.argtypes = ctypes.c_size_t, [ctypes.c_void_p]
        address = ctypes.cast(adapter, ctypes.c_void_p).value or 0
        begin, end = (ctypes.c_size_t * 2).from_address(address + _BUFFERS_OFFSET)
        size = sum(size_of(buffer) for buffer in (ctypes.c_size_t * ((end - begin) // 8)).from_address(begin))
    return {"loaded": bool(adapter), "bytes": size, "mib": said, "log": text[-2000:]}


def main() -> None:
    """Answer the jobs on standard input."""
    answer_fd = os.dup(1)
    os.dup2(2, 1)
    api = load_library()
    log: list[str] = []
    callback = api.llama_log_callback(lambda level, text, data: log.append(text.decode(errors="replace")))
    api.llama_log_set(callback, None)
    answers = [_answer(api, job, log) for job in json.load(sys.stdin)]
    with os.fdopen(answer_fd, "w") as file:
        json.dump(answers, file)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
