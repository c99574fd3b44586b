"""Runs fabricated files in the engine, or decodes blocks with it, in a process of its own.

Run as a script with one JSON list of jobs on its input; prints one answer a job. Memory is that of the models:
they are loaded and computed with, as in any other run.
"""

from __future__ import annotations

import ctypes
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[2]
sys.path.insert(0, str(TESTS))

from engine_child import load_library  # noqa: E402


def run(jobs: list[dict[str, Any]], *, timeout_s: float = 300) -> list[dict[str, Any]]:
    """Answers to ``jobs`` from one child process."""
    done = subprocess.run(
        [sys.executable, __file__],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
        env={**os.environ, "GGML_NO_BACKTRACE": "1"},
    )
    assert done.returncode == 0, f"the engine died with {done.returncode}: {done.stderr[-3000:]}"
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


class Traits(ctypes.Structure):
    """``ggml_type_traits``, ggml/include/ggml.h (0c1e57098)."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("block_elements", ctypes.c_int64),
        ("interleaved", ctypes.c_int64),
        ("block_bytes", ctypes.c_size_t),
        ("quantized", ctypes.c_bool),
        ("to_float", ctypes.c_void_p),
        ("from_float", ctypes.c_void_p),
    )


def numbers(api: Any, job: dict[str, Any]) -> dict[str, Any]:
    """What blocks decode to, by the engine's own function for their format."""
    find = api._lib.ggml_get_type_traits
    find.restype, find.argtypes = ctypes.POINTER(Traits), [ctypes.c_int]
    traits = find(job["number"]).contents
    data = bytes.fromhex(job["data"])
    count = len(data) // traits.block_bytes * traits.block_elements
    found = (ctypes.c_float * count)()
    to_float = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int64)(traits.to_float)
    to_float(data, ctypes.addressof(found), count)
    return {"name": traits.name.decode(), "numbers": list(found)}


def generate(api: Any, job: dict[str, Any], log: list[str]) -> dict[str, Any]:
    """Load a file, compute ``text`` (or ``tokens``) and then so many tokens more, the likeliest each."""
    log.clear()
    params = api.llama_model_default_params()
    params.use_extra_bufts = job.get("repack", True)
    model = api.llama_model_load_from_file(job["path"].encode(), params)
    if not model:
        return {"loaded": False, "log": "".join(log)[-3000:]}
    vocabulary = api.llama_model_get_vocab(model)
    settings = api.llama_context_default_params()
    settings.n_ctx, settings.n_batch, settings.n_ubatch, settings.n_threads = 256, 64, 64, 2
    settings.embeddings = job.get("embeddings", False)
    context = api.llama_init_from_model(model, settings)
    assert context, "".join(log)[-3000:]
    answer: dict[str, Any] = {
        "loaded": True,
        "vocabulary": api.llama_vocab_n_tokens(vocabulary),
        "model_bytes": api.llama_model_size(model),
        "warnings": [line for line in log if "empty token" in line or "control-looking" in line],
    }
    tokens = job.get("tokens") or split(api, vocabulary, job["text"])
    answer["prompt"] = tokens
    if settings.embeddings:
        answer["embedding"] = embed(api, model, context, tokens)
    else:
        answer |= decode(api, context, vocabulary, tokens, job.get("count", 4))
        if "tokens" not in job:
            answer["back"] = join(api, vocabulary, tokens)
            answer["text"] = join(api, vocabulary, answer["generated"])
    api.llama_free(context)
    api.llama_model_free(model)
    return answer


def split(api: Any, vocabulary: Any, text: str) -> list[int]:
    data = text.encode()
    found = (ctypes.c_int * 256)()
    count = api.llama_tokenize(vocabulary, data, len(data), found, 256, True, True)
    assert count > 0, count
    return list(found[:count])


def join(api: Any, vocabulary: Any, tokens: list[int]) -> str:
    buffer = ctypes.create_string_buffer(65536)
    given = (ctypes.c_int * len(tokens))(*tokens)
    count = api.llama_detokenize(vocabulary, given, len(tokens), buffer, 65536, False, False)
    assert count >= 0, count
    return buffer.raw[:count].decode(errors="replace")


def decode(api: Any, context: Any, vocabulary: Any, tokens: list[int], count: int) -> dict[str, Any]:
    size = api.llama_vocab_n_tokens(vocabulary)
    generated: list[int] = []
    widest = 0.0
    finite = True
    given = list(tokens)
    for _ in range(count):
        numbers_given = (ctypes.c_int * len(given))(*given)  # the batch only points to them
        batch = api.llama_batch_get_one(numbers_given, len(given))
        assert api.llama_decode(context, batch) == 0
        logits = api.llama_get_logits_ith(context, -1)[:size]
        finite = finite and all(map(math.isfinite, logits))
        widest = max(widest, max(logits) - min(logits)) if finite else math.inf
        given = [max(range(size), key=logits.__getitem__)]
        generated += given
    return {"generated": generated, "finite": finite, "widest": widest if finite else None}


def embed(api: Any, model: Any, context: Any, tokens: list[int]) -> dict[str, Any]:
    given = (ctypes.c_int * len(tokens))(*tokens)  # the batch only points to them
    batch = api.llama_batch_get_one(given, len(tokens))
    assert (api.llama_decode if job_decodes(api, model) else api.llama_encode)(context, batch) == 0
    width = api.llama_model_n_embd(model)
    pooled = api.llama_get_embeddings_seq(context, 0)
    found = (pooled or api.llama_get_embeddings_ith(context, len(tokens) - 1))[:width]
    return {"width": width, "finite": all(map(math.isfinite, found)), "zero": not any(found)}


def job_decodes(api: Any, model: Any) -> bool:
    return bool(api.llama_model_has_decoder(model))


def main() -> None:
    """Answer the jobs on standard input."""
    answer_fd = os.dup(1)
    os.dup2(2, 1)
    api = load_library()
    log: list[str] = []
    callback = api.llama_log_callback(lambda level, text, data: log.append(text.decode(errors="replace")))
    api.llama_log_set(callback, None)
    api.llama_backend_init()
    answers = [numbers(api, job) if "data" in job else generate(api, job, log) for job in json.load(sys.stdin)]
    with os.fdopen(answer_fd, "w") as file:
        json.dump(answers, file)
    os._exit(0)


if __name__ == "__main__":
    main()
