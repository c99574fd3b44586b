"""The CPU's work buffer and the use of flash attention, from the graphs that the engine builds.

The work buffer is outside the engine's breakdown: the CPU backend allocates it when it first computes a graph
(``ggml_backend_cpu_graph_compute``, ggml/src/ggml-cpu/ggml-cpu.cpp, 0c1e57098), as large as ``ggml_graph_plan`` asks.
"""

from __future__ import annotations

import ctypes
import struct
from typing import Any

from memfit.engine._llama_cpp._child.breakdown import Breakdown, ByValue, Unreadable
from memfit.engine._llama_cpp._child.library import Library

_RESERVE = "_ZN13llama_context13graph_reserveEjjjPK22llama_memory_context_ibPm"
_TENSOR_MAP = "_Z29llama_internal_get_tensor_mapB5cxx11PK11llama_model"
_MAP_ENTRY = struct.Struct("=32xQ")  # std::pair<std::string, ggml_tensor *>
_TENSOR_BUFFER = 8  # offset of ggml_tensor::buffer, ggml/include/ggml.h
_CPU_DEVICE = 0  # GGML_BACKEND_DEVICE_TYPE_CPU
_MOST_TENSORS = 1 << 20


class Graphs:
    """Builds the engine's graphs without allocating them.

    Raises:
        Unreadable: the engine does not export what this needs.
    """

    def __init__(self, library: Library, breakdown: Breakdown) -> None:
        self._library = library
        self._breakdown = breakdown
        u32 = ctypes.c_uint32
        self._reserve = library.function(
            _RESERVE, ctypes.c_void_p, ctypes.c_void_p, u32, u32, u32, ctypes.c_void_p, ctypes.c_bool, ctypes.c_void_p
        )
        self._plan = library.function("ggml_graph_plan", ByValue, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
        self._node = library.function("ggml_graph_node", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
        self._count = library.function("ggml_graph_n_nodes", ctypes.c_int, ctypes.c_void_p)
        if self._reserve is None or self._plan is None or self._node is None or self._count is None:
            raise Unreadable("the engine does not export what plans a graph")

    def work(self, context: int, *, tokens: int, sequences: int, outputs: int, threads: int) -> tuple[int, bool]:
        """Bytes of the CPU's work buffer for one ubatch, and whether its graph uses flash attention.

        The graph is the one of ``sched_reserve`` (src/llama-context.cpp): split over the backends, not allocated.
        """
        assert self._reserve is not None
        assert self._plan is not None
        # the graph keeps pointers into the memory context, which is therefore never freed: a few hundred bytes
        graph = self._reserve(context, tokens, sequences, outputs, self._memory_context(context), True, None)
        if not graph:
            raise Unreadable("the engine built no graph")
        attends = self._uses(graph, b"FLASH_ATTN_EXT")
        on_cpu = self._cpu_nodes(graph, context)
        return (int(self._plan(on_cpu, threads, None).words[0]) if on_cpu else 0), attends

    def prepare_weights(self, model: int) -> None:
        """Give every weight the traits of its buffer type, which ``no_alloc`` skips and the plan looks at.

        Without them ``ggml_cpu_extra_work_size`` (ggml/src/ggml-cpu/traits.cpp) takes repacked weights for plain ones.
        """
        typed: dict[int, int | None] = {}
        kind_of = self._library.function("ggml_backend_buffer_get_type", ctypes.c_void_p, ctypes.c_void_p)
        initialise = self._library.function(
            "ggml_backend_buffer_init_tensor", ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p
        )
        if kind_of is None or initialise is None:
            raise Unreadable("the engine exports no buffer functions")
        for tensor in self._tensors(model):
            (buffer,) = self._breakdown.words(tensor + _TENSOR_BUFFER, 1)
            if not buffer:
                continue
            if buffer not in typed:
                typed[buffer] = self._real_buffer(kind_of(buffer))
            if typed[buffer] is not None:
                initialise(typed[buffer], tensor)

    def _real_buffer(self, kind: int) -> int | None:
        """A small real buffer of a CPU type that rearranges weights; None for every other type."""
        call = self._library.call
        device = call("ggml_backend_buft_get_device", ctypes.c_void_p, kind)
        if not device or call("ggml_backend_dev_type", ctypes.c_int, device) != _CPU_DEVICE:
            return None
        if call("ggml_backend_buft_is_host", ctypes.c_bool, kind):
            return None
        buffer: int | None = call("ggml_backend_buft_alloc_buffer", ctypes.c_void_p, kind, 64)
        return buffer

    def _tensors(self, model: int) -> list[int]:
        tensors = self._library.call(_TENSOR_MAP, ctypes.c_void_p, model)
        if not tensors:
            raise Unreadable("the engine exports no list of tensors")
        begin, end = self._breakdown.words(tensors, 2)
        if end < begin or (end - begin) % _MAP_ENTRY.size or (end - begin) // _MAP_ENTRY.size > _MOST_TENSORS:
            raise Unreadable("not a list of tensors")
        return [entry[0] for entry in _MAP_ENTRY.iter_unpack(self._breakdown.content(begin, end - begin))]

    def _memory_context(self, context: int) -> int | None:
        memory = self._breakdown.memory_of(context)
        if memory is None:
            return None
        name = self._breakdown.class_of(memory)
        full = self._library.function(f"_ZN{name}9init_fullEv", ByValue, ctypes.c_void_p)
        if full is None:
            raise Unreadable(f"{name} exports no init_full")
        found: int = full(memory).words[0]
        return found

    def _uses(self, graph: int, operation: bytes) -> bool:
        describe = self._library.function("ggml_op_desc", ctypes.c_char_p, ctypes.c_void_p)
        if describe is None:
            raise Unreadable("the engine does not name its operations")
        return any(describe(node) == operation for node in self._nodes(graph))

    def _nodes(self, graph: int) -> Any:
        assert self._node is not None
        assert self._count is not None
        return (self._node(graph, index) for index in range(self._count(graph)))

    def _cpu_nodes(self, graph: int, context: int) -> int | None:
        """The graph itself where the CPU is the only backend, else a graph of the CPU's nodes; None without any.

        The plan is a maximum over nodes, so it is the same over the union of the CPU's splits.
        """
        call = self._library.call
        scheduler = call("_ZNK13llama_context9get_schedEv", ctypes.c_void_p, context)
        if not scheduler:
            raise Unreadable("the engine does not export its scheduler")
        if call("ggml_backend_sched_get_n_backends", ctypes.c_int, scheduler) == 1:
            return graph
        mine = []
        for node in self._nodes(graph):
            backend = call("ggml_backend_sched_get_tensor_backend", ctypes.c_void_p, scheduler, node)
            if backend and call("ggml_backend_is_cpu", ctypes.c_bool, backend):
                mine.append(node)
        return self._graph_of(mine) if mine else None

    def _graph_of(self, nodes: list[int]) -> int:
        call = self._library.call
        initialise = self._library.function("ggml_init", ctypes.c_void_p, _InitParams)
        size = call("ggml_graph_overhead_custom", ctypes.c_size_t, len(nodes), 0)
        if initialise is None or not size:
            raise Unreadable("the engine builds no graphs for others")
        holder = initialise(_InitParams(size + 1024, None, True))
        graph: int = call("ggml_new_graph_custom", ctypes.c_void_p, holder, len(nodes), 0)
        for node in nodes:
            call("ggml_graph_add_node", None, graph, node)
        return graph


class _InitParams(ctypes.Structure):
    """``ggml_init_params``, ggml/include/ggml.h."""

    _fields_ = (("mem_size", ctypes.c_size_t), ("mem_buffer", ctypes.c_void_p), ("no_alloc", ctypes.c_bool))
