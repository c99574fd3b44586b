"""Runs a model for real: loads it, allocates a context, computes one token a slot and then a whole ubatch.

Run as a script with one JSON job on its input; prints what the engine then holds. The size of the CPU's work buffer is
read out of its backend: ``ggml_backend`` and ``ggml_backend_cpu_context``, ggml/src/ggml-backend-impl.h and
ggml/src/ggml-cpu/ggml-cpu.cpp (0c1e57098).
"""

from __future__ import annotations

import ctypes
import json
import sys
from typing import Any

from memfit.engine._llama_cpp._child.breakdown import Breakdown
from memfit.engine._llama_cpp._child.library import Library, pointer

BACKEND_CONTEXT = 8 + 16 * 8 + 8  # an identifier, sixteen functions, a device
WORK_SIZE = 3  # word of the context, behind its threads, its thread pool and the buffer itself


def main() -> None:
    job = json.load(sys.stdin)
    library = Library(job["library"], [])
    api = library.api
    model_params = api.llama_model_default_params()
    model_params.load_mode = 0
    model_params.use_extra_bufts = job["repack"]
    model = api.llama_model_load_from_file(job["path"].encode(), model_params)
    assert model, library.log.tail
    params = api.llama_context_default_params()
    for name, value in job["settings"].items():
        setattr(params, name, value)
    context = api.llama_init_from_model(model, params)
    assert context, library.log.tail
    breakdown = Breakdown(library)
    found: dict[str, Any] = {"buffers": breakdown.buffers(pointer(context))}
    slots, ubatch = job["settings"]["n_seq_max"], api.llama_n_ubatch(context)
    decode(api, context, slots, 0, 1)
    found["decode"] = work_size(library, breakdown, pointer(context))
    api.llama_memory_clear(api.llama_get_memory(context), False)
    decode(api, context, slots, 0, ubatch // slots)
    found["prefill"] = work_size(library, breakdown, pointer(context))
    found["after"] = breakdown.buffers(pointer(context))
    print(json.dumps(found))


def decode(api: Any, context: Any, slots: int, start: int, tokens: int) -> None:
    """So many tokens for every slot, each with its logits."""
    batch = api.llama_batch_init(slots * tokens, 0, 1)
    batch.n_tokens = slots * tokens
    for index in range(slots * tokens):
        slot, position = divmod(index, tokens)
        batch.token[index], batch.pos[index] = 1, start + position
        batch.n_seq_id[index], batch.seq_id[index][0] = 1, slot
        batch.logits[index] = True
    assert api.llama_decode(context, batch) == 0


def work_size(library: Library, breakdown: Breakdown, context: int) -> int:
    """Bytes of the work buffer that the CPU's backend holds."""
    scheduler = library.call("_ZNK13llama_context9get_schedEv", ctypes.c_void_p, context)
    last = library.call("ggml_backend_sched_get_n_backends", ctypes.c_int, scheduler) - 1
    backend = library.call("ggml_backend_sched_get_backend", ctypes.c_void_p, scheduler, last)
    (state,) = breakdown.words(backend + BACKEND_CONTEXT, 1)
    return breakdown.words(state, WORK_SIZE + 1)[WORK_SIZE]


if __name__ == "__main__":
    main()
