"""The buffers of a running engine, with their addresses, so that what is touched of them can be counted from outside.

The allocation function of each buffer type is replaced by one that calls it and takes a note. What a buffer is for is
told by its usage, which the engine sets (``ggml_backend_buffer_usage``, ggml/include/ggml-backend.h), or by the line
it logs right after the allocation (``KV buffer size``: src/llama-kv-cache.cpp; ``RS``: src/llama-memory-recurrent.cpp;
``output``: src/llama-context.cpp; ``LoRA``: src/llama-adapter.cpp; 0c1e57098). Mapped weights are not allocated: their
addresses are those of the file in ``/proc/PID/smaps``.

The layouts (``ggml_backend_buffer_type``, ``ggml_backend_buffer``: ggml/src/ggml-backend-impl.h) are private to the
engine. A buffer that does not look like one is left alone, and then nothing is known of its pages.
"""

from __future__ import annotations

import ctypes
import re
from typing import Any

from memfit.engine._llama_cpp._child.breakdown import Breakdown, Unreadable
from memfit.engine._llama_cpp._child.library import Library

_ALLOCATE = 1  # second function of a buffer type
_MOST_WORDS = 15  # of a buffer: eleven functions, then type, context, size, usage
_SIZE = 2  # from the word that holds its type
_WEIGHTS, _COMPUTE = 1, 2  # ggml_backend_buffer_usage
_CPU_DEVICE = 0  # GGML_BACKEND_DEVICE_TYPE_CPU

_SAID = re.compile(r": +(\S+) +(?:DSV4 \S+ )?(KV|RS|LoRA|state|output) buffer size = ")
_TERMS = {
    "model": "weights",
    "LoRA": "weights",
    "KV": "kv_cache",
    "state": "kv_cache",
    "RS": "recurrent_state",
    "compute": "compute_buffers",
    "output": "output_buffer",
    "work": "work_buffer",
}
# the columns of the engine's own account, and what is counted in each
_ACCOUNT = {"model_bytes": ("model",), "context_bytes": ("KV", "RS", "state"), "compute_bytes": ("compute",)}
# word of ggml_backend_cpu_context, behind its threads and its thread pool: ggml/src/ggml-cpu/ggml-cpu.cpp
_WORK_DATA, _WORK_SIZE = 2, 3
_BACKEND_WORDS = 24  # identifier, some sixteen functions, device, context
_MOST_WORK_BYTES = 1 << 36
_MOST_KINDS = 64
_ALIGNMENT = 64  # at least TENSOR_ALIGNMENT, ggml/src/ggml-impl.h

_Allocate = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
_Free = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class _Seen:
    """One allocation: its size, where it lies, when it was made and what the engine's log called it."""

    __slots__ = ("address", "bytes", "name", "said", "stage")

    def __init__(self, name: str, size: int, address: int | None, stage: str) -> None:
        self.name, self.bytes, self.address, self.stage = name, size, address, stage
        self.said: str | None = None


class Allocations:
    """Keeps the replacements alive, and the list of what is allocated now.

    Args:
        files: that the model and its draft are mapped from, under the names of their stages.

    Attributes:
        stage: what the engine does; ``draft`` and ``projector`` claim every buffer made meanwhile, and what is
            allocated without a word during ``decode`` is an output buffer that has grown.
    """

    def __init__(self, library: Library, files: dict[str, list[str]]) -> None:
        self.stage = "model"
        self._files = files
        self._library = library
        self._seen: dict[int, _Seen] = {}
        self._frees: dict[int, Any] = {}
        self._on_free = _Free(self._freed)
        self._keep: list[Any] = []
        for kind in self._kinds():
            self._replace(kind)

    def hear(self, text: str) -> None:
        """A message of the engine's log, which may name the buffer allocated last."""
        found = _SAID.search(text)
        if found is None:
            return
        for seen in reversed(self._seen.values()):
            if seen.said is None and seen.name == found[1]:
                seen.said = found[2]
                return

    def buffers(self, breakdown: Breakdown | None, contexts: dict[str, int]) -> list[dict[str, Any]]:
        """Every buffer: term, name, bytes, the address of its pages or the files it is mapped from.

        Where the engine's own account says otherwise it is believed, and no address is given.

        Args:
            breakdown: reads the engine's account, None where it cannot be read.
            contexts: the model's and the draft's, under the names of their stages.
        """
        listed = self._listed()
        found = [each for each in listed if each["stage"] == "projector"]
        for stage, context in contexts.items():
            whose = ("draft",) if stage == "draft" else ("model", "decode")
            mine = [each for each in listed if each["stage"] in whose]
            if breakdown is not None:
                mine = _agreed(mine, breakdown.buffers(context), stage)
                mine += self._work(breakdown, context, stage)
            found += mine
        return [
            {
                "term": each["stage"] if each["stage"] in ("draft", "projector") else _TERMS[each["what"]],
                "name": f"{each['kind']} {each['what']} buffer",
                "bytes": each["bytes"],
                "address": each["address"],
                "files": self._files.get(each["stage"], []) if each.get("mapped") else [],
            }
            for each in found
        ]

    def _listed(self) -> list[dict[str, Any]]:
        found = []
        for buffer, seen in self._seen.items():
            usage = self._library.call("ggml_backend_buffer_get_usage", ctypes.c_int, buffer)
            grown = "output" if seen.stage == "decode" else None
            what = "model" if usage == _WEIGHTS else "compute" if usage == _COMPUTE else seen.said or grown
            if what is None or not seen.bytes:
                continue
            # rearranging buffers take their name after they are allocated
            kind = self._library.text("ggml_backend_buffer_name", buffer) or seen.name
            known = {"kind": kind, "bytes": seen.bytes, "address": seen.address}
            found.append({"stage": seen.stage, "what": what, **known})
        return found

    def _kinds(self) -> set[int]:
        call = self._library.call
        kinds = set()
        for index in range(call("ggml_backend_dev_count", ctypes.c_size_t) or 0):
            device = call("ggml_backend_dev_get", ctypes.c_void_p, index)
            kinds.add(call("ggml_backend_dev_buffer_type", ctypes.c_void_p, device))
            kinds.add(call("ggml_backend_dev_host_buffer_type", ctypes.c_void_p, device))
            kinds.update(self._extra_kinds(device))
        kinds.add(self._mapped_kind())
        return {kind for kind in kinds if kind}

    def _mapped_kind(self) -> int | None:
        """The type of mapped weights, which adapters of such weights are allocated in."""
        room = (ctypes.c_uint8 * (2 * _ALIGNMENT))()
        start = -(-ctypes.addressof(room) // _ALIGNMENT) * _ALIGNMENT
        call = self._library.call
        buffer = call("ggml_backend_cpu_buffer_from_ptr", ctypes.c_void_p, start, _ALIGNMENT)
        if not buffer:
            return None
        kind: int | None = call("ggml_backend_buffer_get_type", ctypes.c_void_p, buffer)
        call("ggml_backend_buffer_free", None, buffer)
        return kind

    def _extra_kinds(self, device: int) -> list[int]:
        """Types that rearrange weights and allocate by themselves, as the one for AMX does."""
        call = self._library.call
        registry = call("ggml_backend_dev_backend_reg", ctypes.c_void_p, device)
        name = b"ggml_backend_dev_get_extra_bufts"
        found = call("ggml_backend_reg_get_proc_address", ctypes.c_void_p, registry, name) if registry else None
        listed = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(found)(device) if found else None
        kinds: list[int] = []
        while listed and len(kinds) < _MOST_KINDS:
            kind = ctypes.c_void_p.from_address(listed + len(kinds) * ctypes.sizeof(ctypes.c_void_p)).value
            if not kind:
                break
            kinds.append(kind)
        return kinds

    def _replace(self, kind: int) -> None:
        words = (ctypes.c_void_p * 2).from_address(kind)
        original = words[_ALLOCATE]
        if not original:
            return
        allocate = _Allocate(original)

        @_Allocate  # type: ignore[untyped-decorator]
        def note(asked: int, size: int) -> int | None:
            buffer: int | None = allocate(asked, size)
            if buffer:
                self._note(buffer, asked)
            return buffer

        words[_ALLOCATE] = ctypes.cast(note, ctypes.c_void_p).value
        self._keep += [allocate, note]

    def _note(self, buffer: int, kind: int) -> None:
        call = self._library.call
        size = call("ggml_backend_buffer_get_size", ctypes.c_size_t, buffer)
        if not _looks_right(buffer, kind, size):
            return
        base = call("ggml_backend_buffer_get_base", ctypes.c_void_p, buffer) if self._on_host(kind) else None
        self._seen[buffer] = _Seen(self._library.text("ggml_backend_buffer_name", buffer) or "", size, base, self.stage)
        free = ctypes.c_void_p.from_address(buffer)
        if free.value:
            self._frees[buffer] = _Free(free.value)
            free.value = ctypes.cast(self._on_free, ctypes.c_void_p).value

    def _on_host(self, kind: int) -> bool:
        call = self._library.call
        device = call("ggml_backend_buft_get_device", ctypes.c_void_p, kind)
        if device and call("ggml_backend_dev_type", ctypes.c_int, device) == _CPU_DEVICE:
            return True
        return bool(call("ggml_backend_buft_is_host", ctypes.c_bool, kind))

    def _freed(self, buffer: int) -> None:
        self._seen.pop(buffer, None)
        free = self._frees.pop(buffer, None)
        if free is not None:
            free(buffer)

    def _work(self, breakdown: Breakdown, context: int, stage: str) -> list[dict[str, Any]]:
        """The CPU's scratch memory, out of its backend; nothing where it cannot be found for sure."""
        call = self._library.call
        scheduler = call("_ZNK13llama_context9get_schedEv", ctypes.c_void_p, context)
        found: list[dict[str, Any]] = []
        for index in range(call("ggml_backend_sched_get_n_backends", ctypes.c_int, scheduler) or 0 if scheduler else 0):
            backend = call("ggml_backend_sched_get_backend", ctypes.c_void_p, scheduler, index)
            if not call("ggml_backend_is_cpu", ctypes.c_bool, backend):
                continue
            try:
                work = _work_of(breakdown, backend, call("ggml_backend_get_device", ctypes.c_void_p, backend))
            except Unreadable:
                continue
            found += [{"stage": stage, "what": "work", "kind": "CPU", **work}] if work else []
        return found


def _looks_right(buffer: int, kind: int, size: int) -> bool:
    words = (ctypes.c_size_t * _MOST_WORDS).from_address(buffer)
    return any(words[index] == kind and words[index + _SIZE] == size for index in range(_MOST_WORDS - _SIZE))


def _work_of(breakdown: Breakdown, backend: int, device: int) -> dict[str, Any] | None:
    words = breakdown.words(backend, _BACKEND_WORDS)
    at = [index for index, word in enumerate(words[:-1]) if index and word == device]
    if not at:
        return None
    state = breakdown.words(words[at[-1] + 1], _WORK_SIZE + 1)
    address, size = state[_WORK_DATA], state[_WORK_SIZE]
    if not address or not 0 < size < _MOST_WORK_BYTES:
        return None
    breakdown.content(address + size - 1, 1)  # unreadable where this is no such buffer
    return {"bytes": size, "address": address}


def _agreed(found: list[dict[str, Any]], account: list[dict[str, Any]], stage: str) -> list[dict[str, Any]]:
    """What was seen, with the engine's account in the place of all that does not add up to it."""
    result = list(found)
    for kind in account:
        for column, counted in _ACCOUNT.items():
            mine = [each for each in result if each["kind"] == kind["name"] and each["what"] in counted]
            size = kind[column]
            if sum(each["bytes"] for each in mine) == size:
                continue
            result = [each for each in result if each not in mine]
            mapped = column == "model_bytes" and kind["name"].endswith("_Mapped")
            known = {"kind": kind["name"], "bytes": size, "address": None, "mapped": mapped}
            result += [{"stage": stage, "what": counted[0], **known}] if size else []
    return result
