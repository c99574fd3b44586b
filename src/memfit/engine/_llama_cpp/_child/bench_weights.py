"""Weights read from the file, in ggml's formats: encoded, decoded, and how far each format is off.

What ``ggml_quantize_chunk`` writes is what llama-quantize writes: it is the same function, a matrix of an expert at a
time, with the same importances (``llama_tensor_quantize_impl``, src/llama-quant.cpp, 0c1e57098).
"""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

import numpy as np

from memfit.engine._llama_cpp._child.bench_coupling import GROUPS, Coupling, coupled
from memfit.engine._llama_cpp._child.bench_layouts import LAYOUTS
from memfit.engine._llama_cpp._child.bench_model import Refused
from memfit.engine._llama_cpp._child.bench_moments import lost
from memfit.engine._llama_cpp._child.bench_rounding import Prepared, rounded

_CHUNK_ELEMENTS = 1 << 22  # of a tensor at a time: 16 MiB as floats
# where rows are rounded with an eye on each other, only every eighth is worked on at once: with 256 of them for each
# thread a row costs a quarter of what it costs with 32 (Q4_K and Q3_K, 1024 columns); 256 MiB as floats at most
_WIDE_ELEMENTS, _WIDE_ROWS = 1 << 26, 256
_LEAST_ROWS = 32  # of a thread: fewer take as long
_F32 = 0


class _Traits(ctypes.Structure):
    """``ggml_type_traits``, ggml/include/ggml.h (0c1e57098)."""

    _fields_ = (
        ("type_name", ctypes.c_char_p),
        ("blck_size", ctypes.c_int64),
        ("blck_size_interleave", ctypes.c_int64),
        ("type_size", ctypes.c_size_t),
        ("is_quantized", ctypes.c_bool),
        ("to_float", ctypes.c_void_p),
        ("from_float_ref", ctypes.c_void_p),
    )


class Weight(NamedTuple):
    """A tensor in a file: ``dims`` as ggml has them, the row first; ``kind`` ggml's number of its format."""

    name: str
    path: str
    offset: int
    dims: tuple[int, ...]
    kind: int

    @property
    def matrices(self) -> int:
        """Matrices: one for each expert."""
        return int(np.prod(self.dims[2:], dtype=np.int64))

    @property
    def matrix_rows(self) -> int:
        """Rows of each."""
        return self.dims[1] if len(self.dims) > 1 else 1

    @property
    def rows(self) -> int:
        """Rows of all."""
        return self.matrices * self.matrix_rows


class Guide(NamedTuple):
    """What tells one error of a weight from another.

    Attributes:
        importance: of each column, (matrices or 1, columns) float32; None where all count alike.
        moments: (blocks, columns of a block, the same) float32, of weights that are one matrix; None for none.
        blocks: the same, factored.
        rows: moments of gradients at its outputs, factored, in blocks of rows; of weights that are one matrix.
        balance: what its columns are multiplied with before they are stored, and what is taken from them before that,
            (2, columns) float32: all others here are of the result; None for nothing.
    """

    importance: Any = None
    moments: Any = None
    blocks: list[Prepared] | None = None
    rows: list[Coupling] | None = None
    balance: Any = None

    def line(self, matrix: int) -> Any:
        """Importances of a matrix's columns."""
        if self.importance is None:
            return None
        return np.ascontiguousarray(self.importance[matrix if len(self.importance) > 1 else 0])


class Symbols(Protocol):
    """What has ggml's functions: the whole engine, or ggml's base library alone."""

    def function(self, symbol: str, result: Any, *arguments: Any) -> Callable[..., Any] | None:
        """The function of this symbol, None where it is not exported."""


class Codec:
    """ggml's formats. Safe to be used by several threads at once, which is what it is for.

    Args:
        threads: how many quantize at once.
    """

    def __init__(self, library: Symbols, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads)
        self._threads = threads
        size, number, pointer = ctypes.c_size_t, ctypes.c_int64, ctypes.c_void_p
        self._traits = library.function("ggml_get_type_traits", ctypes.POINTER(_Traits), ctypes.c_int)
        self._quantize = library.function(
            "ggml_quantize_chunk", size, ctypes.c_int, pointer, pointer, number, number, number, pointer
        )
        self._initialise = library.function("ggml_quantize_init", None, ctypes.c_int)
        self._row_size = library.function("ggml_row_size", size, ctypes.c_int, number)
        if None in (self._traits, self._quantize, self._initialise, self._row_size):
            raise Refused("quantize: this build does not export what does it")

    def row_bytes(self, kind: int, columns: int) -> int:
        """Bytes of a row in a format."""
        assert self._row_size is not None
        size: int = self._row_size(kind, columns)
        return size

    def decode(self, kind: int, data: Any, columns: int) -> Any:
        """Rows of a format as floats, (rows, columns) float32; ``data`` are their bytes."""
        count = data.nbytes // self.row_bytes(kind, columns)
        if kind == _F32:
            return data.view(np.float32).reshape(count, columns)
        assert self._traits is not None
        address = self._traits(kind).contents.to_float
        if not address:
            raise Refused(f"read weights of ggml's type {kind}")
        convert = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(address)
        values = np.empty((count, columns), np.float32)
        size = self.row_bytes(kind, columns)

        def part(begin: int, end: int) -> None:
            convert(data.ctypes.data + begin * size, values[begin:end].ctypes.data, (end - begin) * columns)

        self._share(part, count)
        return values

    def encode(self, kind: int, values: Any, importance: Any) -> Any:
        """Rows as a format stores them, bytes in uint8.

        Args:
            kind: ggml's number of the format.
            values: (rows, columns) float32.
            importance: of each column, (columns,) float32, or None.
        """
        count, columns = values.shape
        if kind == _F32:
            return np.ascontiguousarray(values, np.float32).view(np.uint8).reshape(-1)
        assert self._initialise is not None
        self._initialise(kind)  # tables of the i-quants: made once, and not by two threads
        size = self.row_bytes(kind, columns)
        data = np.empty(count * size, np.uint8)
        weighting = None if importance is None else importance.ctypes.data

        def part(begin: int, end: int) -> None:
            assert self._quantize is not None
            rows = values[begin:end]
            self._quantize(kind, rows.ctypes.data, data.ctypes.data + begin * size, 0, end - begin, columns, weighting)

        self._share(part, count)
        return data

    def encode_by(self, kind: int, values: Any, guide: Guide, matrix: int = 0, first: int = 0) -> Any:
        """The same by all that is known of a weight: rounded with error feedback where there are moments.

        ``first``: the number of the first row, by which rows find the blocks that are theirs.
        """
        if guide.rows and kind != _F32:
            size = guide.rows[0].rows
            own = guide.rows[first // size : (first + len(values)) // size]
            if not first % size and not len(values) % size:
                alone = guide._replace(rows=None)
                return coupled(
                    values,
                    own,
                    lambda wanted: self.encode_by(kind, wanted, alone, matrix),
                    lambda data: self.decode(kind, data, values.shape[1]),
                )
        data = self.encode(kind, values, guide.line(matrix))
        if not guide.blocks or kind not in LAYOUTS:
            return data
        size = self.row_bytes(kind, values.shape[1])

        def part(begin: int, end: int) -> None:
            span = slice(begin * size, end * size)
            data[span] = rounded(kind, data[span], values[begin:end], guide.blocks)

        self._share(part, len(values))
        return data

    def matrices(
        self, weight: Weight, most_rows: int | None = None, together: int = 1, wanted: int = 0, balance: Any = None
    ) -> Iterator[tuple[int, Any]]:
        """A tensor's rows as floats, with the number of the matrix they belong to, a piece at a time.

        Args:
            weight: where it lies.
            most_rows: take only so many of each matrix, evenly spread.
            together: rows that must not be parted, one behind another.
            wanted: rows that serve best at once, as far as there is room.
            balance: of a guide: columns come balanced.
        """
        columns = weight.dims[0]
        size = self.row_bytes(weight.kind, columns)
        content = np.memmap(weight.path, np.uint8, "r", weight.offset, (weight.rows, size))
        step = 1 if most_rows is None else stride(weight, most_rows)
        room = max(_CHUNK_ELEMENTS, min(_WIDE_ELEMENTS, wanted * columns))
        piece = max(1, room // columns // together) * together
        for matrix in range(weight.matrices):
            first = matrix * weight.matrix_rows
            for start in range(0, weight.matrix_rows, piece * step):
                rows = content[first + start : first + min(start + piece * step, weight.matrix_rows) : step]
                values = self.decode(weight.kind, np.array(rows).reshape(-1), columns)
                yield matrix, values if balance is None else (values - balance[1]) * balance[0]

    def encoded(self, weight: Weight, kind: int, guide: Guide) -> Iterator[Any]:
        """A tensor in another format, a piece at a time.

        Args:
            weight: where it lies.
            kind: ggml's number of the format.
            guide: what its columns count for.
        """
        if kind == weight.kind and guide.balance is None:
            content = np.memmap(
                weight.path, np.uint8, "r", weight.offset, weight.rows * self.row_bytes(kind, weight.dims[0])
            )
            for start in range(0, len(content), _CHUNK_ELEMENTS):
                yield content[start : start + _CHUNK_ELEMENTS]
            return
        done = 0
        together, wanted = (guide.rows[0].rows, GROUPS * _WIDE_ROWS * self._threads) if guide.rows else (1, 0)
        for matrix, values in self.matrices(weight, together=together, wanted=wanted, balance=guide.balance):
            if not np.isfinite(values).all():
                raise Refused(f"quantize {weight.name}: it holds numbers that are not finite")
            yield self.encode_by(kind, values, guide, matrix, done % weight.matrix_rows)
            done += len(values)

    def squares(self, weight: Weight, most_rows: int, balance: Any = None) -> Any:
        """Sums of squared weights by column, over all matrices, (columns,) float64; ``balance`` of a guide."""
        sums = [
            np.einsum("ij,ij->j", values, values, dtype=np.float64)
            for _, values in self.matrices(weight, most_rows, balance=balance)
        ]
        return np.sum(sums, axis=0)

    def error(self, weight: Weight, kind: int, guide: Guide, most_rows: int) -> float:
        """Squared error that a format makes of the outputs, by rows that are looked at.

        With the whole second moments of what the weight is multiplied with, where there are any; else as if columns
        were independent, weighted by importance.
        """
        off = 0.0
        for matrix, values in self.matrices(weight, most_rows, balance=guide.balance):
            near = self.decode(kind, self.encode_by(kind, values, guide, matrix), weight.dims[0])
            near -= values
            off += _weighted(near, guide.line(matrix)) if guide.moments is None else lost(near, guide.moments)
        return off

    def power(self, weight: Weight, guide: Guide, most_rows: int) -> float:
        """Weighted squares of the weights, of the same rows."""
        pieces = self.matrices(weight, most_rows, balance=guide.balance)
        return sum(_weighted(values, guide.line(matrix)) for matrix, values in pieces)

    def _share(self, part: Any, rows: int) -> None:
        """Run ``part(begin, end)`` over all rows, by as many threads as there are."""
        step = max(-(-rows // self._threads), _LEAST_ROWS)
        bounds = itertools.pairwise([*range(0, rows, step), rows]) if rows else ()
        for done in [self._pool.submit(part, *pair) for pair in bounds]:
            done.result()


def stride(weight: Weight, most_rows: int) -> int:
    """Every how many rows of a matrix one is taken, for no more than so many."""
    return max(1, -(-weight.matrix_rows // most_rows))


def _weighted(rows: Any, line: Any) -> float:
    squares = np.einsum("ij,ij->j", rows, rows, dtype=np.float64)
    return float(squares.sum() if line is None else (squares * line.astype(np.float64)).sum())
