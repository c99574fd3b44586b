"""The engine, asked for the graph it reserves. Runs in a child process: a refused shape may abort it."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from memfit.engine._llama_cpp._child.hollow import HollowBuffers
from memfit.engine._llama_cpp._child.library import Library

GGML_TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q8_0": 8, "BF16": 30}
FLAG_INPUT, FLAG_OUTPUT = 1, 2  # enum ggml_tensor_flag, ggml/include/ggml.h (0c1e57098)

# struct ggml_tensor of ggml/include/ggml.h (0c1e57098), from its type to its name; fields that are not needed skipped
_TENSOR = struct.Struct("<i4xQ4q4Qi16ii10QQ8xQ64s16x")


@dataclass
class Node:
    """One tensor of a graph, as plain data."""

    key: int
    kind: int
    external: bool
    dims: tuple[int, ...]
    strides: tuple[int, ...]
    op: str
    parameter: int
    flags: int
    name: str
    bytes: int
    sources: list[Node] = field(default_factory=list)
    view_of: Node | None = None


@dataclass(frozen=True)
class ContextOptions:
    """What a context is created with; ``rows`` is n_outputs_max."""

    context_tokens: int
    batch_tokens: int
    ubatch_tokens: int
    slots: int = 1
    unified: bool = False
    flash_attention: bool = True
    kv_type_k: str = "F16"
    kv_type_v: str = "F16"
    full_window_cache: bool = False
    rows: int = 0
    rollback_tokens: int = 0


class Engine:
    """llama.cpp of the installed llama-cpp-python, by ctypes."""

    def __init__(self) -> None:
        spec = importlib.util.find_spec("llama_cpp")
        if spec is None or spec.origin is None:
            raise SystemExit("install the [llama] extra: the graphs are read from the engine")
        package = Path(spec.origin).parent
        self.library = Library(str(package), [])
        self.api: Any = self.library.api
        self._hollow = HollowBuffers(self.library)  # recurrent state is really allocated otherwise
        folder = package / "lib"
        self.ggml = ctypes.CDLL(str(folder / "libggml-base.so"))
        self.ggml.ggml_op_name.restype = ctypes.c_char_p
        self.ggml.ggml_nbytes.restype = ctypes.c_size_t
        self.ggml.ggml_nbytes.argtypes = [ctypes.c_void_p]
        library = self.api._lib
        self._reserve = library._Z19llama_graph_reserveP13llama_contextjjj
        self._reserve.restype = ctypes.c_void_p
        self._reserve.argtypes = [ctypes.c_void_p] + [ctypes.c_uint32] * 3
        self._ops: dict[int, str] = {}
        self.log: list[str] = []
        self._callback = self.api.llama_log_callback(
            lambda level, text, data: self.log.append(text.decode("utf-8", "replace"))
        )
        self.api.llama_log_set(self._callback, None)

    @contextlib.contextmanager
    def context(self, path: Path, options: ContextOptions) -> Iterator[Any]:
        """A context of the model in this file, of which only the header is read.

        Raises:
            RuntimeError: the engine refused it.
        """
        model = self._load(path)
        parameters = self.api.llama_context_default_params()
        parameters.n_ctx = options.context_tokens
        parameters.n_batch = options.batch_tokens
        parameters.n_ubatch = options.ubatch_tokens
        parameters.n_seq_max = options.slots
        parameters.kv_unified = options.unified
        parameters.flash_attn_type = int(options.flash_attention)
        parameters.type_k = GGML_TYPES[options.kv_type_k]
        parameters.type_v = GGML_TYPES[options.kv_type_v]
        parameters.swa_full = options.full_window_cache
        parameters.n_outputs_max = options.rows
        parameters.n_rs_seq = options.rollback_tokens
        self.library.log.begin()
        context = self.api.llama_init_from_model(model, parameters)
        if not context:
            raise RuntimeError(self._last_words())
        try:
            yield context
        finally:
            self.api.llama_free(context)
            self.api.llama_model_free(model)

    def graph(self, context: Any, options: ContextOptions) -> tuple[list[Node], list[Node]]:
        """Nodes and leafs of the prompt graph as ``sched_reserve`` (src/llama-context.cpp) asks for it.

        Raises:
            RuntimeError: the engine built none.
        """
        tokens = min(self.api.llama_n_ctx(context), self.api.llama_n_ubatch(context))
        rows = min(tokens, options.rows or self.api.llama_n_batch(context))
        address = self._reserve(context, tokens, options.slots, rows)
        if not address:
            raise RuntimeError(self._last_words())
        # struct ggml_cgraph, ggml/src/ggml-impl.h (0c1e57098): size, n_nodes, n_leafs, nodes, grads, grad_accs, leafs
        _, nodes, leafs = struct.unpack("<3i", ctypes.string_at(address, 12))
        node_table, _, _, leaf_table = struct.unpack("<4Q", ctypes.string_at(address + 16, 32))
        memo: dict[int, Node] = {}
        return (
            [self._node(key, memo) for key in struct.unpack(f"<{nodes}Q", ctypes.string_at(node_table, 8 * nodes))],
            [self._node(key, memo) for key in struct.unpack(f"<{leafs}Q", ctypes.string_at(leaf_table, 8 * leafs))],
        )

    def _last_words(self) -> str:
        lines = [line for line in self.library.log.tail.splitlines() if line.strip()]
        return " ".join(lines[-2:])[-300:]

    def _load(self, path: Path) -> Any:
        parameters = self.api.llama_model_default_params()
        parameters.no_alloc = True
        parameters.load_mode = 0  # no_alloc asserts against mmap
        parameters.use_extra_bufts = False
        self.library.log.begin()
        model = self.api.llama_model_load_from_file(str(path).encode(), parameters)
        if not model:
            raise RuntimeError(self._last_words())
        return model

    def _node(self, key: int, memo: dict[int, Node]) -> Node:
        if key in memo:
            return memo[key]
        fields = _TENSOR.unpack(ctypes.string_at(key, _TENSOR.size))
        sources, view = fields[28:38], fields[38]
        node = Node(
            key=key,
            kind=fields[0],
            external=bool(fields[1]) or bool(fields[39]),
            dims=fields[2:6],
            strides=fields[6:10],
            op=self._op(fields[10]),
            parameter=fields[11],
            flags=fields[27],
            name=fields[40].split(b"\0")[0].decode("utf-8", "replace"),
            bytes=self.ggml.ggml_nbytes(key),
        )
        memo[key] = node
        node.sources = [self._node(source, memo) for source in sources if source]
        node.view_of = self._node(view, memo) if view else None
        return node

    def _op(self, number: int) -> str:
        if number not in self._ops:
            self._ops[number] = self.ggml.ggml_op_name(number).decode()
        return self._ops[number]
