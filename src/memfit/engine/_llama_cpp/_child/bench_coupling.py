"""Rows that are rounded with an eye on each other: what one row loses, those behind it make good.

What errors E of a weight, (rows, columns), cost is near to tr(G E H Eᵀ), H the second moments of what it is multiplied
with and G those of gradients at what it gives (see ``bench_gradients``): outputs that mean the same to the predictions
can cancel, as columns can. So rows are rounded group after group, each behind the errors of those before it, by the
same elimination as columns (YAQA, arXiv 2505.22988, feeds back in both directions too). Rows of a group are rounded
independently, which keeps the arithmetic wide, and are taken from all over their block, so that neighbours, which have
most to do with each other, are in different ones. With eight groups a block of 256 rows loses nothing that can be
measured against sixteen. It works with every format, also those that have no feedback along columns.

To the bit the same on every machine and with any number of threads, as ``bench_rounding`` is, and by the same means.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from memfit.engine._llama_cpp._child.bench_moments import GRADIENTS, Kept
from memfit.engine._llama_cpp._child.bench_rounding import eliminated

GROUPS = 8
_DAMPING = 0.1  # of the mean moment on each; 0.3 wins a fifth less
_FEED_BITS, _ERROR_BITS = 21, 18  # sums of 1024 products stay below 2**53


class Coupling(NamedTuple):
    """Second moments of gradients at one block of rows, made ready.

    Attributes:
        rows: of the block.
        feeds: for each group but the first, (its rows, those of all groups before) float64: what an error before it
            adds to what is wanted of it, as integers of 2**-bits.
        bits: of each feed.
        left: the share of the error's power that remains.
    """

    rows: int
    feeds: list[Any]
    bits: list[int]
    left: float

    def wanted(self, group: int, errors: Any) -> Any:
        """What errors (rows, columns) of the block add to the rows of a group, float32."""
        before = np.concatenate([errors[one::GROUPS] for one in range(group)])
        unit = np.ldexp(1.0, int(np.frexp(np.abs(before).max(initial=0.0))[1]) - _ERROR_BITS)
        found = self.feeds[group - 1] @ np.rint(before / unit)
        return (found * (unit * 2.0 ** -self.bits[group - 1])).astype(np.float32)


def coupling(moments: Any) -> Coupling:
    """Factor (rows, rows) second moments; only elementwise, as ``prepared``."""
    count = len(moments)
    order = np.concatenate([np.arange(group, count, GROUPS) for group in range(GROUPS)])
    whole = moments[np.ix_(order, order)].astype(np.float64)
    whole = (whole + whole.T) / 2
    squares = np.diagonal(whole).copy()
    squares += _DAMPING * (float(np.add.accumulate(squares)[-1]) / count) or 1.0
    scale = np.sqrt(squares)
    beside = whole / (scale[:, None] * scale)
    np.fill_diagonal(beside, 1.0)
    feed, rest = eliminated(beside)
    bounds = np.cumsum([0, *(len(range(group, count, GROUPS)) for group in range(GROUPS))])
    feeds, bits, left = [], [], 0.0
    for start, end in itertools.pairwise(bounds):
        inner = feed[start:end, start:end]
        left += float((squares[start:end] * (rest[start:end] + (inner * inner * rest[start:end]).sum(axis=1))).sum())
        if not start:
            continue
        found = feed[:start, start:end].copy()
        for at in range(start, end):  # rows of the group want of each other what they are, before they are rounded
            found[:, at - start + 1 :] -= found[:, at - start, None] * feed[at, at + 1 : end]
        found = (found * scale[:start, None] / scale[start:end]).T
        bits.append(_FEED_BITS - max(0, int(np.frexp(np.abs(found).max(initial=0.0))[1])))
        feeds.append(np.rint(np.ldexp(found, bits[-1])))
    return Coupling(count, feeds, bits, left / float(squares.sum()))


def coupled(
    values: Any, couplings: Sequence[Coupling], encode: Callable[[Any], Any], decode: Callable[[Any], Any]
) -> Any:
    """Rows in a format, bytes in uint8.

    Args:
        values: (rows, columns) float32.
        couplings: of blocks of rows, one behind another.
        encode: rows into bytes.
        decode: bytes into rows.
    """
    shaped = values.reshape(len(couplings), -1, values.shape[1])
    errors = np.zeros_like(shaped)
    data: Any = None
    for group in range(GROUPS):
        wanted = shaped[:, group::GROUPS].copy()
        if group:
            for block, one in enumerate(couplings):
                wanted[block] += one.wanted(group, errors[block])
        piece = encode(wanted.reshape(-1, values.shape[1]))
        errors[:, group::GROUPS] = shaped[:, group::GROUPS] - decode(piece).reshape(wanted.shape)
        if data is None:
            data = np.empty((*shaped.shape[:2], piece.nbytes // (wanted.shape[0] * wanted.shape[1])), np.uint8)
        data[:, group::GROUPS] = piece.reshape(*wanted.shape[:2], -1)
    return data.reshape(-1)


class Outputs:
    """Of a model's weights: moments of gradients at what they give, in blocks of rows, and how rows are coupled by it.

    Args:
        means: by weight, (blocks, rows of a block, the same) float32.
    """

    def __init__(self, means: dict[str, Any] | None = None) -> None:
        self.means = means or {}
        self._ready = Kept()

    def coupled(self, name: str) -> list[Coupling]:
        """A weight's, factored; none where nothing is known."""
        if name not in self.means:
            return []
        return self._ready.of(name, lambda: [coupling(block) for block in self.means[name]])

    def left(self, name: str) -> float:
        """The share of an error's power that is left when a weight's rows are rounded with an eye on each other."""
        power = [float(np.trace(block)) for block in self.means.get(name, ())]
        left = [one.left * each for one, each in zip(self.coupled(name), power, strict=True)]
        return sum(left) / sum(power) if sum(power) else 1.0

    def arrays(self) -> dict[str, Any]:
        """As a file of arrays has them."""
        return {f"{name}{GRADIENTS}": content for name, content in self.means.items()}
