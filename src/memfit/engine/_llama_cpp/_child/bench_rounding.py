"""Rounding with error feedback, inside ggml's own formats: what one column loses, the columns behind it make good.

ggml's quantizer rounds each weight for itself. The outputs that a row w gives are off by e H eᵀ, H the second moments
of what is multiplied with it and e what rounding did, and with columns that go together the errors can cancel. So the
steps within a block stay as ggml chose them and codes are chosen anew: in the order of falling moments, each column
rounded with the errors of those before it fed back (GPTQ, arXiv 2210.17323, in the form of QuIP's equation 2, arXiv
2307.13304: H = (U + I) D (U + I)ᵀ needs no inverse), then column by column to the best code beside all others as they
are (QuantEase, arXiv 2309.01885), and the blocks' scales fitted to what came out. Bytes, layout and kernels are the
same.

All is the same to the bit on every machine and with any number of threads: what is no sum is elementwise, and sums of
products are of integers that a double holds exactly, so that no order of adding, and no BLAS, changes them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from memfit.engine._llama_cpp._child.bench_layouts import LAYOUTS, Layout, Parts

_DAMPING = 0.1  # of the mean moment on each; other text is off by less with it than with 0.01, as GPTQ has it
_PASSES = 2  # over all columns, each to its best code; a third lowers the error by 1 % more
_MOST_HALF = 65504.0  # the largest half float
_STRIP = 96  # rows, of which what is worked on stays in a cache
_BATCH = 16  # columns that are updated one by one before the rest follows with a product
# products of matrix and error, and sums of 1024 of them, stay below 2**53
_MATRIX_BITS, _ERROR_BITS, _MOST_ERROR = 21, 18, 1 << 21


class Prepared(NamedTuple):
    """Second moments of one block of columns, made ready.

    Attributes:
        order: the columns, those with most first.
        scale: (columns,) float32, in that order: what makes every moment one.
        beside: (columns, columns) float64: moments so scaled, with ones on the diagonal, as integers of 2**-21.
        feed: (columns, columns) float64: U, strictly upper, as integers of 2**-feed_bits.
        feed_bits: see there.
    """

    order: Any
    scale: Any
    beside: Any
    feed: Any
    feed_bits: int


def prepared(moments: Any) -> Prepared:
    """Factor (columns, columns) second moments; only elementwise, as above."""
    whole = moments.astype(np.float64)
    whole = (whole + whole.T) / 2
    diagonal = np.diagonal(whole).copy()
    mean = float(np.add.accumulate(diagonal)[-1]) / len(diagonal)
    squares = diagonal + (_DAMPING * mean or 1.0)
    order = np.argsort(-squares, kind="stable")
    scale = np.sqrt(squares[order])
    beside = whole[np.ix_(order, order)] / (scale[:, None] * scale)
    np.fill_diagonal(beside, 1.0)
    feed, _ = eliminated(beside)
    bits = _MATRIX_BITS - max(0, int(np.frexp(np.abs(feed).max(initial=0.0))[1]))
    return Prepared(
        order, scale.astype(np.float32), np.rint(np.ldexp(beside, _MATRIX_BITS)), np.rint(np.ldexp(feed, bits)), bits
    )


def eliminated(beside: Any) -> tuple[Any, Any]:
    """U, strictly upper, and D's diagonal, of a matrix that is (U + I) D (U + I)ᵀ; float64."""
    left, feed = beside.copy(), np.zeros_like(beside)
    for at in range(len(left) - 1, 0, -1):
        column = left[:at, at]
        line = column / left[at, at]
        feed[:at, at] = line
        for start in range(0, at, _STRIP):  # what lies under the diagonal is never read
            end = min(start + _STRIP, at)
            left[start:end, start:at] -= column[start:end, None] * line[start:]
    return feed, np.diagonal(left).copy()


def rounded(kind: int, data: Any, values: Any, blocks: Any) -> Any:
    """What ggml made of rows, with codes chosen anew.

    Args:
        kind: ggml's number of the format, one of ``LAYOUTS``.
        data: ggml's bytes, uint8.
        values: (rows, columns) float32, what they stand for.
        blocks: of columns, one behind another: each ``Prepared``, and all of one size, which blocks divide.
    """
    layout, rows = LAYOUTS[kind], len(values)
    parts = layout.unpack(data.reshape(-1, layout.block_bytes))
    whole = Parts(*(None if one is None else one.reshape(rows, -1, *one.shape[1:]).copy() for one in parts))
    at = 0
    for block in blocks:
        end = at + len(block.order)
        span = slice(at // layout.elements, end // layout.elements)
        piece = Parts(*(None if one is None else one[:, span] for one in whole))
        found = _Problem(layout, block, values[:, at:end], piece).solve()
        for given, new in zip(piece, found, strict=True):
            if given is not None:
                given[...] = new
        at = end
    again = Parts(*(None if one is None else one.reshape(-1, *one.shape[2:]) for one in whole))
    return layout.pack(again).reshape(-1)


class _Problem:
    """One block of columns of some rows: columns first, in the block's order and scaled, so that all count alike.

    Args:
        values: (rows, columns) float32.
        parts: of them, each (rows, ggml's blocks, ...).
    """

    def __init__(self, layout: Layout, block: Prepared, values: Any, parts: Parts) -> None:
        self._layout, self._block, self._parts = layout, block, parts
        self._values = np.ascontiguousarray(values[:, block.order].T) * block.scale[:, None]
        self._plain = layout.levels[self._by_column(parts.codes)]
        self._scale, self._steps = parts.scale.T.copy(), self._scaled(parts.step)
        self._floor = None if parts.floor is None else parts.floor.T.copy()
        self._shifts = None if parts.shift is None else self._scaled(parts.shift)
        self._homes = block.order // layout.elements
        # errors of a row count in this unit, a power of two: products with it and with what it goes into are exact
        self._unit = np.ldexp(1.0, np.frexp(np.abs(self._values).max(axis=0))[1] - _ERROR_BITS)
        self._units = 1 / self._unit
        self._level = _nearest(layout)
        self._settle()

    def solve(self) -> Parts:
        """Better parts; for rows of which they are not, ggml's."""
        before = self._norm(self._errors(self._plain))
        levels = self._fed()
        errors = self._errors(levels)
        pulls = self._product(self._block.beside, _MATRIX_BITS, errors)
        for _ in range(_PASSES):
            self._improve(levels, errors, pulls)
            self._fit(levels, errors, pulls)
        better = self._norm(self._errors(levels)) < before
        parts = self._parts
        codes = np.empty((len(better), len(levels)), np.uint8)
        codes[:, self._block.order] = self._codes(np.where(better, levels, self._plain)).T
        return parts._replace(
            codes=codes.reshape(parts.codes.shape),
            scale=np.where(better[:, None], self._scale.T, parts.scale),
            floor=None if self._floor is None else np.where(better[:, None], self._floor.T, parts.floor),
        )

    def _by_column(self, given: Any) -> Any:
        """What is given for elements, or for groups of them, of each row: (columns, rows), in the block's order."""
        flat = given.reshape(len(given), -1)
        return np.ascontiguousarray(flat[:, self._block.order * flat.shape[1] // len(self._block.order)].T)

    def _scaled(self, given: Any) -> Any:
        return self._by_column(given) * self._block.scale[:, None]

    def _settle(self) -> None:
        """Steps and offsets as the scales are now."""
        self._step = self._scale[self._homes] * self._steps
        self._base = None if self._floor is None else -(self._floor[self._homes] * self._shifts)
        self._inverse = np.divide(1.0, self._step, out=np.zeros_like(self._step), where=self._step != 0)

    def _fit(self, levels: Any, errors: Any, pulls: Any) -> None:
        """Scales, and then floors, by least squares beside the levels as they are; one of ggml's blocks at a time."""
        for home in range(len(self._scale)):
            own = np.flatnonzero(self._homes == home)
            self._stretch(self._scale[home], levels[own] * self._step[own], own, errors, pulls)
            if self._base is not None and self._floor is not None:
                self._stretch(self._floor[home], self._base[own], own, errors, pulls)
        self._settle()

    def _stretch(self, amounts: Any, part: Any, own: Any, errors: Any, pulls: Any) -> None:
        """Make amounts, (rows,), so much more or less that errors are least; ``part``: what stands for them."""
        turn = self._product(self._block.beside[:, own], _MATRIX_BITS, part)
        power = np.add.reduce(turn[own] * part, axis=0)
        moved = np.divide(np.add.reduce(pulls[own] * part, axis=0), power, out=np.zeros_like(power), where=power > 0)
        fresh = np.clip(amounts * (1 + moved), -_MOST_HALF, _MOST_HALF).astype(np.float16).astype(np.float32)
        change = np.divide(fresh, amounts, out=np.ones_like(fresh), where=amounts != 0) - 1
        amounts[...] = fresh
        errors[own] -= part * change
        pulls -= turn * change

    def _fed(self) -> Any:
        """Levels with every column rounded behind the errors of those before it."""
        block, wanted = self._block, self._values.copy()
        levels = np.empty_like(wanted)
        near = np.ldexp(block.feed, -block.feed_bits).astype(np.float32)
        for start in range(0, len(wanted), _BATCH):
            end = min(start + _BATCH, len(wanted))
            errors = np.empty((end - start, wanted.shape[1]), np.float32)
            for at in range(start, end):
                levels[at] = self._round(at, wanted[at])
                errors[at - start] = self._values[at] - self._value(at, levels[at])
                wanted[at + 1 : end] += near[at, at + 1 : end, None] * errors[at - start]
            if end < len(wanted):
                wanted[end:] += self._product(block.feed[start:end, end:].T, block.feed_bits, errors)
        return levels

    def _improve(self, levels: Any, errors: Any, pulls: Any) -> None:
        """Each column to its best level beside the others as they are; ``pulls``: moments times errors."""
        near = np.ldexp(self._block.beside, -_MATRIX_BITS).astype(np.float32)
        for start in range(0, len(levels), _BATCH):
            end = min(start + _BATCH, len(levels))
            changes = np.empty((end - start, levels.shape[1]), np.float32)
            for at in range(start, end):
                now = self._values[at] - errors[at]
                levels[at] = self._round(at, now + pulls[at])
                errors[at] = self._values[at] - self._value(at, levels[at])
                changes[at - start] = now - self._value(at, levels[at])
                pulls[at + 1 : end] += near[at, at + 1 : end, None] * changes[at - start]
            far = self._product(self._block.beside[:, start:end], _MATRIX_BITS, changes)
            pulls[:start] += far[:start]
            pulls[end:] += far[end:]
            # those of the batch have had the changes before them only
            for at in range(start, end):
                pulls[start : at + 1] += near[start : at + 1, at, None] * changes[at - start]

    def _round(self, at: int, wanted: Any) -> Any:
        shifted = wanted if self._base is None else wanted - self._base[at]
        return self._level(shifted * self._inverse[at])

    def _value(self, at: int, levels: Any) -> Any:
        found = levels * self._step[at]
        return found if self._base is None else found + self._base[at]

    def _errors(self, levels: Any) -> Any:
        found = levels * self._step
        return self._values - (found if self._base is None else found + self._base)

    def _product(self, matrix: Any, bits: int, errors: Any) -> Any:
        """``matrix``, integers of 2**-bits, times errors, rounded to integers of the row's unit: exact, in float32."""
        whole = errors * self._units
        np.rint(whole, out=whole)
        np.clip(whole, -_MOST_ERROR, _MOST_ERROR, out=whole)
        found = matrix @ whole
        found *= self._unit * 2.0**-bits
        return found.astype(np.float32)

    def _norm(self, errors: Any) -> Any:
        """By row, what errors e lose: e H eᵀ."""
        return np.add.reduce(self._product(self._block.beside, _MATRIX_BITS, errors) * errors, axis=0)

    def _codes(self, levels: Any) -> Any:
        known = self._layout.levels
        return (levels - known[0] if _even(known) else np.searchsorted(known, levels)).astype(np.uint8)


def _even(levels: Any) -> bool:
    return bool(levels[-1] - levels[0] == len(levels) - 1)


def _nearest(layout: Layout) -> Any:
    """What finds the nearest of a layout's levels."""
    levels = layout.levels
    if _even(levels):
        least, most = levels[0], levels[-1]
        return lambda wanted: np.maximum(np.minimum(np.rint(wanted), most), least)
    # levels are whole numbers, what lies between two is a multiple of a half: a table of halves has them all
    halves = np.arange(2 * int(levels[0]), 2 * int(levels[-1]) + 1)
    table = levels[np.searchsorted(levels[1:] + levels[:-1], halves, side="right")]
    least, most = np.float32(halves[0]), np.float32(halves[-1])
    return lambda wanted: table[(np.maximum(np.minimum(np.floor(wanted * 2), most), least) - least).astype(np.int32)]
