"""The engine's own memory breakdown, to the byte, out of its C++ structures.

``llama_get_memory_breakdown`` (src/llama-ext.h, 0c1e57098) returns a ``std::map`` by value. Its nodes are read as
libstdc++ lays them out (``_Rb_tree_node_base`` in bits/stl_tree.h), through ``/proc/self/mem``: a wrong address is
an error there and not a crash. Classes are recognised by their run-time type name (Itanium C++ ABI, 2.9).
"""

from __future__ import annotations

import ctypes
import os
import re
import struct
from collections.abc import Iterator
from typing import Any

from memfit.engine._llama_cpp._child.library import Library

_WORD = 8
_MOST_NODES = 256
_CLASS_NAME = re.compile(rb"\d+[a-zA-Z_0-9]+")
# Members of the engine's memory classes that are memories themselves (src/llama-memory-*.h, src/llama-kv-cache-*.h)
_PARTS = {
    "get_mem_attn": "attention",
    "get_mem_recr": "recurrent",
    "get_mem_idx": "index",
    "get_base": "full",
    "get_swa": "window",
    "get_mla": "latent",
    "get_dsa": "sparse",
    "get_lid": "index",
    "get_idx": "index",
}
_RECURRENT = "22llama_memory_recurrent"


class Unreadable(Exception):
    """The structures are not laid out as expected: another library or another build."""


class ByValue(ctypes.Structure):
    """Room for a C++ object returned by value.

    Larger than two words, so the calling convention passes its address as the hidden result pointer, on x86-64 and
    AArch64 alike; the callee writes only what it has.
    """

    _fields_ = (("words", ctypes.c_size_t * 32),)


class Breakdown:
    """Reads breakdowns of one engine. Raises ``Unreadable`` where it cannot be sure."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._whole = library.function("_Z26llama_get_memory_breakdownPK13llama_context", ByValue, ctypes.c_void_p)
        self._delete = library.function("_ZdlPv", None, ctypes.c_void_p)  # operator delete of libstdc++
        self._inherits = _symbol(library, "_ZTVN10__cxxabiv120__si_class_type_infoE")
        try:
            self._memory = os.open("/proc/self/mem", os.O_RDONLY)
        except OSError as error:
            raise Unreadable(f"/proc/self/mem: {error.strerror}") from None

    def buffers(self, context: int) -> list[dict[str, Any]]:
        """Bytes of model, context and compute buffers by buffer type."""
        if self._whole is None:
            raise Unreadable("the engine does not export llama_get_memory_breakdown")
        found = []
        for kind, model, cache, compute in self._nodes(self._whole(context), values=3):
            name = self._library.text("ggml_backend_buft_name", kind)
            host = bool(self._library.call("ggml_backend_buft_is_host", ctypes.c_bool, kind))
            sizes = {"model_bytes": model, "context_bytes": cache, "compute_bytes": compute}
            found.append({"name": name, "host": host, **sizes})
        return found

    def caches(self, context: int) -> list[dict[str, Any]]:
        """Every cache of the context: role, kind and bytes; empty for a model without one."""
        memory = self.memory_of(context)
        return [] if memory is None else list(self._leaves(memory, "whole"))

    def memory_of(self, context: int) -> int | None:
        """The context's ``llama_memory_i``, None for encoders."""
        found: int | None = self._library.call("llama_get_memory", ctypes.c_void_p, context)
        return found

    def class_of(self, instance: int) -> str:
        """Mangled name of an object's class, ``19llama_memory_hybrid``."""
        return self._lineage(instance)[0]

    def _leaves(self, memory: int, role: str) -> Iterator[dict[str, Any]]:
        lineage = self._lineage(memory)
        parts = list(self._parts(memory, lineage))
        total = self._total(memory, lineage[0])
        if not parts:
            yield {"role": role, "bytes": total, "kind": "state" if lineage[0] == _RECURRENT else "kv"}
            return
        leaves = [leaf for part, name in parts for leaf in self._leaves(part, name)]
        yield from leaves
        rest = total - sum(leaf["bytes"] for leaf in leaves)
        if rest < 0:
            raise Unreadable("the parts of a cache exceed it")
        if rest:
            yield {"role": "rest", "bytes": rest, "kind": "kv"}

    def _parts(self, memory: int, lineage: list[str]) -> Iterator[tuple[int, str]]:
        for name in lineage:
            for getter, role in _PARTS.items():
                found = self._library.function(f"_ZNK{name}{len(getter)}{getter}Ev", ctypes.c_void_p, ctypes.c_void_p)
                part = found(memory) if found is not None else None
                if part:
                    yield part, role

    def _total(self, memory: int, name: str) -> int:
        found = self._library.function(f"_ZNK{name}16memory_breakdownEv", ByValue, ctypes.c_void_p)
        if found is None:
            raise Unreadable(f"{name} exports no memory_breakdown")
        return sum(size for _, size in self._nodes(found(memory), values=1))

    def _nodes(self, by_value: ByValue, *, values: int) -> list[tuple[int, ...]]:
        """Key and values of every node of a ``std::map`` from pointers to words; the map is taken apart."""
        # std::map: comparator, then the header node (colour, parent, left, right), then the count
        root, count = by_value.words[2], by_value.words[5]
        if count > _MOST_NODES:
            raise Unreadable(f"a map of {count} buffer types")
        pending: list[tuple[int, int]] = [(root, 0)] if count else []
        nodes: list[int] = []
        found: list[tuple[int, ...]] = []
        while pending:
            node, above = pending.pop()
            colour, parent, left, right, *content = self.words(node, 5 + values)
            nodes.append(node)
            if len(nodes) > count or (above and parent != above) or colour & 0xFFFFFFFF > 1:
                raise Unreadable("not a tree of libstdc++")
            pending += [(child, node) for child in (left, right) if child]
            found.append(tuple(content))
        if len(nodes) != count:
            raise Unreadable(f"a map of {count} nodes has {len(nodes)}")
        # nobody else destroys it: asked at every round of a soak, it would grow like a leak of the engine's
        if self._delete is not None:
            for node in nodes:
                self._delete(node)
        return found

    def _lineage(self, instance: int) -> list[str]:
        """Names of an object's class and its single-inheritance bases."""
        (table,) = self.words(instance, 1)
        (info,) = self.words(table - _WORD, 1)
        names: list[str] = []
        while info and len(names) < 8:
            kind, name = self.words(info, 2)
            names.append(self._class_name(name))
            # only __si_class_type_info goes on to a base class; its vtable pointer is 16 bytes into the symbol
            info = self.words(info + 2 * _WORD, 1)[0] if kind == self._inherits + 2 * _WORD else 0
        return names

    def _class_name(self, address: int) -> str:
        text = self.content(address, 64).split(b"\0")[0]
        if not _CLASS_NAME.fullmatch(text):
            raise Unreadable(f"{text!r} is not a class name")
        return text.decode()

    def words(self, address: int, count: int) -> tuple[int, ...]:
        """Machine words at an address of this process."""
        return struct.unpack(f"={count}Q", self.content(address, count * _WORD))

    def content(self, address: int, count: int) -> bytes:
        """Bytes at an address of this process."""
        try:
            content = os.pread(self._memory, count, address)
        except (OSError, OverflowError):
            content = b""
        if len(content) != count:
            raise Unreadable(f"no memory at {address:#x}")
        return content


def _symbol(library: Library, name: str) -> int:
    try:
        return ctypes.addressof(ctypes.c_char.in_dll(library.api._lib, name))
    except ValueError:
        return 0
