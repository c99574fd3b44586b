"""Second moments of what weights are multiplied with: blocks of columns, gathered beside the importances.

Weights that are fed by the same tensor (attention's q, k and v; a feed-forward's gate and up) share one record, under
the name of the first of them. Memory: 4 KiB a column at most, 1 KiB where there are more than 1024; for a model of 8B
parameters, hidden size 4096, 32 layers, about 0.9 GiB.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from memfit.engine._llama_cpp._child.bench_rounding import Prepared, prepared

_WHOLE = 1024  # columns, up to which all are held beside all
SIZE = 256  # of a block of more: a super-block of ggml's, so that no scale reaches over two
_UNIT = 32  # the blocks of every format are as long, or a multiple
_SCALED = " scaled"
MOMENTS, SHARED, GRADIENTS = ".moments", ".moments_of", ".gradients"


def block_columns(columns: int, whole: int = _WHOLE) -> int | None:
    """Columns of a block, None where they cannot be cut; up to ``whole`` make one."""
    if columns <= whole:
        return columns if columns % _UNIT == 0 else None
    return next((size for size in range(min(SIZE, whole), 0, -_UNIT) if columns % size == 0), None)


class Kept:
    """What was factored, by name, as it is asked for again and again; all is forgotten when it is too much."""

    _MOST_BYTES = 128 * 1024**2

    def __init__(self) -> None:
        self._found: dict[str, list[Any]] = {}
        self._bytes = 0

    def of(self, name: str, make: Callable[[], list[Any]]) -> list[Any]:
        """What is kept under a name, or made: tuples with arrays."""
        if name not in self._found:
            fresh = make()
            parts = [part for one in fresh for part in one]
            arrays = [array for part in parts for array in (part if isinstance(part, list) else [part])]
            size = sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))
            if self._bytes + size > self._MOST_BYTES:
                self._found, self._bytes = {}, 0
            self._found[name] = fresh
            self._bytes += size
        return self._found[name]


class Moments:
    """Gathered or read: ``owner`` says under which name a weight's lie.

    Args:
        whole: columns up to which all are held beside all.

    ``means[name]``: (blocks, columns of a block, the same) float32, the mean of x xᵀ. While they are gathered, sums.
    """

    def __init__(self, whole: int = _WHOLE) -> None:
        self._whole = whole
        self.owner: dict[str, str] = {}
        self.means: dict[str, Any] = {}
        self._rows: dict[str, int] = {}
        self._fed_by: dict[int, str] = {}
        self._ready = Kept()

    def add(self, name: str, source: int | None, rows: Any) -> None:
        """Take in what a weight is multiplied with, (rows, columns).

        ``source``: the address of the tensor it is, by which weights share; None where none does.
        """
        if name not in self.owner:
            # an address names a tensor within one graph; all weights are seen in the first
            self.owner[name] = name if source is None else self._fed_by.setdefault(source, name)
        size = block_columns(rows.shape[1], self._whole)
        if self.owner[name] != name or size is None:
            return
        if name not in self.means:
            self.means[name] = np.zeros((rows.shape[1] // size, size, size), np.float32)
            self._rows[name] = 0
        self._rows[name] += len(rows)
        for at, total in enumerate(self.means[name]):
            part = rows[:, at * size : (at + 1) * size]
            total += part.T @ part

    def finish(self) -> None:
        """Make means of the sums; those that are not finite are dropped."""
        for name in list(self.means):
            self.means[name] /= max(self._rows.get(name, 0), 1)
            if not np.isfinite(self.means[name]).all():
                del self.means[name]
        self._fed_by = {}

    def include(self, other: Moments) -> None:
        """Take in another's, which are means already, each in units of its own mean square."""
        for name, means in other.means.items():
            square = np.float32(np.einsum("bii->", means) / (means.shape[0] * means.shape[1]))
            if square > np.finfo(np.float32).tiny:
                self.means[name], self.owner[name] = means / square, name

    def of(self, name: str, scales: Any = None) -> Any:
        """A weight's, None where there are none; ``scales``: of its columns, which what meets them is divided by."""
        means = self.means.get(self.owner.get(name, ""))
        if means is None or scales is None:
            return means
        own = scales.reshape(len(means), -1)
        return means / (own[:, :, None] * own[:, None])

    def prepared(self, name: str, scales: Any = None) -> list[Prepared]:
        """A weight's, factored; ``scales`` as of ``of``, always the same ones."""
        owner = self.owner.get(name, "")
        if owner not in self.means:
            return []
        return self._ready.of(
            owner if scales is None else name + _SCALED, lambda: [prepared(block) for block in self.of(owner, scales)]
        )

    def arrays(self) -> dict[str, Any]:
        """As a file of arrays has them, ``moments_from`` reads them."""
        found = {f"{name}{MOMENTS}": means for name, means in self.means.items()}
        shared = {f"{name}{SHARED}": np.array(owner) for name, owner in self.owner.items() if name != owner}
        return found | {name: owner for name, owner in shared.items() if f"{owner}{MOMENTS}" in found}


def moments_from(arrays: Mapping[str, Any]) -> Moments:
    """What ``arrays`` gave away."""
    found = Moments()
    for name, content in arrays.items():
        if name.endswith(MOMENTS):
            weight = name.removesuffix(MOMENTS)
            found.means[weight], found.owner[weight] = content, weight
        elif name.endswith(SHARED):
            found.owner[name.removesuffix(SHARED)] = str(content)
    return found


def lost(off: Any, means: Any) -> float:
    """tr(E H Eᵀ) of rows ``off`` by E, (rows, columns); H the moments' blocks."""
    blocks, size = means.shape[:2]
    cut = off.reshape(-1, blocks, size).transpose(1, 0, 2)
    return float(np.einsum("bij,bij->", np.matmul(cut, means), cut, dtype=np.float64))
