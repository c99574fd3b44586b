"""The importance of every column of every weight, gathered while the engine runs.

The same quantity as llama-imatrix gathers (``IMatrixCollector::collect_imatrix``, tools/imatrix/imatrix.cpp,
0c1e57098): sums of squares of the activations that multiply a column, and how many there were; for a mixture of experts
by expert. The engine's callback is asked for every node before it is computed, and the node's first source is the
weight, its second the activations.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from memfit.engine._llama_cpp._child.bench_activations import BLOCKS, squared_loss
from memfit.engine._llama_cpp._child.bench_moments import Moments
from memfit.engine._llama_cpp._child.library import Library

_MOST_SOURCES = 10  # GGML_MAX_SRC, ggml/include/ggml.h (0c1e57098)
_MOST_DIMS = 4
_MOST_NAME = 64
_MOST_OP_WORDS = 16
_F32 = 0


class Tensor(ctypes.Structure):
    """``ggml_tensor``, ggml/include/ggml.h (0c1e57098)."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("buffer", ctypes.c_void_p),
        ("ne", ctypes.c_int64 * _MOST_DIMS),
        ("nb", ctypes.c_size_t * _MOST_DIMS),
        ("op", ctypes.c_int),
        ("op_params", ctypes.c_int32 * _MOST_OP_WORDS),
        ("flags", ctypes.c_int32),
        ("src", ctypes.c_void_p * _MOST_SOURCES),
        ("view_src", ctypes.c_void_p),
        ("view_offs", ctypes.c_size_t),
        ("data", ctypes.c_void_p),
        ("name", ctypes.c_char * _MOST_NAME),
        ("extra", ctypes.c_void_p),
        ("padding", ctypes.c_char * 8),
    )


_NOISE_ROWS = 2048  # of each weight's activations, to tell what rounding takes from them: it hardly varies


class Importance:
    """Sums by weight: ``sums[name]`` (experts, columns) float32 and ``counts[name]`` (experts,).

    ``noise[name][block]`` are sums of squares of what rounding activations takes from each column, (columns,), over
    ``noise_counts[name]`` rows of all experts.

    Args:
        moments: gathered too, of weights that are one matrix; None for importances alone.
    """

    def __init__(self, library: Library, moments: Moments | None = None) -> None:
        self._describe = library.function("ggml_op_desc", ctypes.c_char_p, ctypes.c_void_p)
        self._read = library.function(
            "ggml_backend_tensor_get", None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t
        )
        self._kinds: dict[int, bool | None] = {}
        self.sums: dict[str, Any] = {}
        self.counts: dict[str, Any] = {}
        self.noise: dict[str, dict[int, Any]] = {}
        self.noise_counts: dict[str, int] = {}
        self.moments = moments

    def watch(self, address: int, ask: bool) -> bool:
        """See ``ggml_backend_sched_eval_callback``: asked whether it is wanted, then told that it is computed."""
        node = Tensor.from_address(address)
        by_expert = self._multiplies(node, address)
        if by_expert is None:
            return not ask
        weight = Tensor.from_address(node.src[0])
        name = weight.name.decode(errors="replace")
        if not name.startswith(("blk.", "output.", "token_embd.")) or not name.endswith("weight"):
            return not ask
        if not ask:
            activations = self._floats(node.src[1])
            if activations is not None:
                self._add(name, weight, activations, node.src[2] if by_expert else None)
                if self.moments is not None and not by_expert and weight.ne[2] * weight.ne[3] == 1:
                    self.moments.add(name, node.src[1], activations.reshape(-1, weight.ne[0]))
        return True

    def _multiplies(self, node: Tensor, address: int) -> bool | None:
        """Whether a node multiplies by expert; None where it is no product of a weight."""
        if node.op not in self._kinds:
            assert self._describe is not None
            name = self._describe(address)
            self._kinds[node.op] = {b"MUL_MAT": False, b"MUL_MAT_ID": True}.get(name)
        return self._kinds[node.op]

    def _floats(self, address: int) -> Any:
        """A float tensor's content, (rest, tokens, columns); None for another type or layout."""
        tensor = Tensor.from_address(address)
        size = tensor.nb[3] * tensor.ne[3]
        dense = tensor.nb[1] == tensor.ne[0] * 4 and tensor.nb[2] == tensor.nb[1] * tensor.ne[1]
        if tensor.type != _F32 or not dense:
            return None
        content = np.empty(size // 4, np.float32)
        assert self._read is not None
        self._read(address, content.ctypes.data, 0, size)
        return content.reshape(-1, tensor.ne[1], tensor.ne[0])

    def _add(self, name: str, weight: Tensor, activations: Any, ids: int | None) -> None:
        columns = weight.ne[0]
        experts = weight.ne[2] if ids is not None else 1
        if name not in self.sums:
            self.sums[name] = np.zeros((experts, columns), np.float32)
            self.counts[name] = np.zeros(experts, np.int64)
        rows = activations.reshape(-1, columns)
        self._add_noise(name, rows)
        if ids is None:
            self.sums[name][0] += np.einsum("ij,ij->j", rows, rows)
            self.counts[name][0] += len(rows)
            return
        chosen = self._ids(ids)  # (tokens, used)
        tokens, used = chosen.shape
        # (tokens, 1 or used, columns): one row for all experts of a token, or one for each
        rows = activations.reshape(tokens, -1, columns)
        squares = rows * rows
        for slot in range(used):
            row = squares[:, slot if squares.shape[1] > 1 else 0]
            np.add.at(self.sums[name], chosen[:, slot], row)
            np.add.at(self.counts[name], chosen[:, slot], 1)

    def _add_noise(self, name: str, rows: Any) -> None:
        known = self.noise_counts.setdefault(name, 0)
        rows = rows[: max(0, _NOISE_ROWS - known)]
        if not len(rows):
            return
        self.noise_counts[name] += len(rows)
        sums = self.noise.setdefault(name, {})
        for block in BLOCKS:
            lost = squared_loss(rows, block)
            if lost is not None:
                sums[block] = sums.get(block, 0.0) + lost.sum(axis=0)

    def _ids(self, address: int) -> Any:
        tensor = Tensor.from_address(address)
        used, tokens = tensor.ne[0], tensor.ne[1]
        whole = np.empty(tensor.nb[1] // 4 * tokens, np.int32)
        assert self._read is not None
        # a view into all experts, sorted: the rows lie further apart than they are long, and the last one ends early
        content = tensor.nb[1] * (tokens - 1) + 4 * used
        self._read(address, whole.ctypes.data, 0, content)
        return whole.reshape(tokens, -1)[:, :used]
