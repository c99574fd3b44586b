"""The log of llama.cpp's programs: which buffers they made, in MiB with two decimals, and who they are.

Lines: ``load_tensors`` (src/llama-model.cpp), ``llama_kv_cache``, ``llama_memory_recurrent``, ``llama_context``,
``sched_reserve``, ``llama_adapter_lora_init_impl`` (src), ``reserve_compute_meta`` (tools/mtmd/clip.cpp), all at
0c1e57098; earlier ones begin with ``llm_load_tensors``, ``llama_kv_cache_init``, ``llama_new_context_with_model``.
"""

from __future__ import annotations

import re

from memfit.engine._start import EngineLog
from memfit.engine.records import Buffer
from memfit.units import MIB

_LINE = re.compile(
    r"\b(?P<function>\w+): +(?P<name>\S+) +(?P<what>(?:DSV4 \S+ )?(?:model|KV|RS|LoRA|output|compute|state))?"
    r" *buffer size = +(?P<size>\d+(?:\.\d+)?) MiB"
)
_TERMS = {
    "model": "weights",
    "LoRA": "weights",
    "KV": "kv_cache",
    "state": "kv_cache",
    "RS": "recurrent_state",
    "compute": "compute_buffers",
    "output": "output_buffer",
}
_PROJECTOR_FUNCTIONS = ("alloc_compute_meta", "reserve_compute_meta")
_PROJECTOR_WEIGHTS = re.compile(r"\bload_hparams: model size: +(\d+(?:\.\d+)?) MiB")
# "build: 6000 (0c1e570) with ..." of older programs, "build 6000 (0c1e570) with ..." and "build_info: b6000-0c1e570"
_BUILD = re.compile(r"\bbuild(?:_info)?:? +b?(\d+)[- ]\(?([0-9a-f]{7,40})(-dirty)?")
_SYSTEM = re.compile(r"\bsystem_info:.*?\| *((?:CPU|CUDA)\b.*)$", re.MULTILINE)


def read_log(text: str) -> EngineLog:
    """Buffers, version and instructions out of what ``llama-server`` or ``llama-cli`` printed.

    A second model in one process is its draft, unless the first was only tried on. Compute buffers are reserved again
    when something changes; the last word counts.
    """
    buffers: list[Buffer] = []
    latest: dict[tuple[int, str], int] = {}
    models, has_context = 0, False
    for found in _LINE.finditer(text):
        what = (found["what"] or "model").split()[-1]
        if what == "model" and has_context:
            if _is_trial(buffers):
                buffers, latest = [], {}
            else:
                models += 1
            has_context = False
        has_context = has_context or what in ("KV", "RS", "state", "output", "compute")
        projector = found["function"] in _PROJECTOR_FUNCTIONS
        term = "projector" if projector else "draft" if models else _TERMS[what]
        buffer = Buffer(term=term, name=f"{found['name']} {what} buffer", reserved_bytes=_bytes(found["size"]))
        place = (-1 if projector else models, buffer.name)
        if what == "compute" and place in latest:
            buffers[latest[place]] = buffer
            continue
        if what == "compute":
            latest[place] = len(buffers)
        buffers.append(buffer)
    buffers += [
        Buffer(term="projector", name="projector weights", reserved_bytes=_bytes(found[1]))
        for found in _PROJECTOR_WEIGHTS.finditer(text)
    ]
    build, system = _BUILD.search(text), _SYSTEM.search(text)
    return EngineLog(
        buffers=tuple(buffers),
        version=f"b{build[1]} ({build[2]}{build[3] or ''})" if build else "",
        instructions=system[1].strip() if system else "",
    )


def _is_trial(buffers: list[Buffer]) -> bool:
    """A server first loads the model without allocating it, to fit its options to what is free, and logs zeros."""
    return not any(buffer.reserved_bytes for buffer in buffers if buffer.term == "weights")


def _bytes(mebibytes: str) -> int:
    return round(float(mebibytes) * MIB)
