"""The head as another one that predicts the same, of which formats lose less.

Predictions are what logits say of each other: one vector may be taken from all rows of the head, and nothing changes.
What rows have in common is what keeps down tokens that are hardly ever meant, and it makes single columns large; so the
mean of the rows that matter is taken away, each counting by how uncertain its token is, p (1 - p).

And what the head is multiplied with comes from a norm, which has a factor for each channel: a column of the head may be
any times as large if that factor is as many times smaller. Formats share a step among 16 or 32 columns, which the
largest of them sets, and kernels share one among 32 or 256 activations (``bench_activations``). So sizes are fitted to
what both lose (as AWQ, arXiv 2306.00978, and SmoothQuant, arXiv 2211.10438, each do to one of them), by the largest
numbers of each block in samples of both.

With both the shipped model's head loses 20 to 35 % less in formats from three to eight bits, and four tenths less where
activations are rounded. Within layers columns may be scaled too, which was tried: there they are nearly as large as
each other, and with five bits and less hardly anything is won.
"""

from __future__ import annotations

from typing import Any

import numpy as np

HEAD, NORM = "output.weight", "output_norm.weight"
BALANCE = ".balance"  # what a file of arrays has under a weight's name: factors, and what is taken away before
_SHARED = (16, 32)  # columns with one step, in the formats that a head is likely to get
_ACTIVATIONS = 256  # with one step; where they do not divide, activations are left out
_STEPS, _ACTIVATION_STEPS = 2.0**2.5, 127.0  # on each side of zero; between those of three bits and of four
_FED_BACK = 0.8  # of the error that rounding makes, what is left by error feedback
_PULL = 0.1  # towards even factors: what a sample says of single channels is not all true
_ROUNDS, _RATE, _MEMORY, _SQUARES_MEMORY = 80, 0.05, 0.8, 0.9  # of Adam, arXiv 1412.6980


def fitted(weights: Any, activations: Any) -> Any:
    """What each column is to be multiplied with, (columns,) float32, of geometric mean one; None where none is told.

    Args:
        weights: (rows, columns) float32, a sample, of rows that matter, without what they have in common.
        activations: (tokens, columns) float32, a sample of what multiplies them.
    """
    columns = weights.shape[1]
    if columns % max(_SHARED) or not (np.isfinite(weights).all() and np.isfinite(activations).all()):
        return None
    powers = np.einsum("ij,ij->j", weights, weights)
    squares = np.einsum("ij,ij->j", activations, activations) / len(activations)
    if not powers.all() or not squares.all():
        return None  # nothing is known of how large a column of zeros may be
    parts = [
        Part(np.abs(weights), size, squares * (_FED_BACK * len(weights) / len(_SHARED) / _STEPS**2), 1)
        for size in _SHARED
    ]
    if columns % _ACTIVATIONS == 0:
        parts.append(Part(np.abs(activations), _ACTIVATIONS, powers / _ACTIVATION_STEPS**2, -1))
    logs = _least(parts, columns)
    return np.exp(logs - logs.mean()).astype(np.float32)


class Part:
    """What blocks lose by sharing steps: the mean square of the largest of each, times what its columns count.

    Args:
        sizes: (samples, columns), none below zero.
        shared: columns of a block.
        counts: of each column, (columns,).
        sign: 1 where columns are multiplied with the factors, -1 where they are divided by them.
    """

    def __init__(self, sizes: Any, shared: int, counts: Any, sign: int) -> None:
        self._sizes, self._shared, self._counts, self._sign = sizes, shared, counts, sign
        self._starts = np.arange(0, sizes.shape[1], shared)

    def slope(self, logs: Any) -> tuple[float, Any]:
        """What is lost, and how that changes with each factor's logarithm, (columns,)."""
        factors = np.exp(self._sign * logs).astype(np.float32)
        scaled = (self._sizes * factors).reshape(len(self._sizes), -1, self._shared)
        place = scaled.argmax(axis=2)
        squares = np.take_along_axis(scaled, place[..., None], 2)[..., 0].astype(np.float64) ** 2 / len(scaled)
        by_column = np.bincount((place + self._starts).ravel(), squares.ravel(), len(logs))
        steps = squares.sum(axis=0)
        counts = self._counts / factors.astype(np.float64) ** 2
        blocks = counts.reshape(-1, self._shared).sum(axis=1)
        slope = by_column * np.repeat(blocks, self._shared) - counts * np.repeat(steps, self._shared)
        return float(steps @ blocks), 2 * self._sign * slope


def _least(parts: list[Part], columns: int) -> Any:
    """Logarithms of factors by which parts lose least together, (columns,)."""
    logs, mean, power = np.zeros(columns), np.zeros(columns), np.zeros(columns)
    whole = sum(part.slope(logs)[0] for part in parts)
    for turn in range(1, _ROUNDS + 1):
        slope = sum(part.slope(logs)[1] for part in parts) / whole + 2 * _PULL * (logs - logs.mean()) / columns
        mean = _MEMORY * mean + (1 - _MEMORY) * slope
        power = _SQUARES_MEMORY * power + (1 - _SQUARES_MEMORY) * slope**2
        step = mean / (1 - _MEMORY**turn) / (np.sqrt(power / (1 - _SQUARES_MEMORY**turn)) + 1e-12)
        logs -= _RATE * step
    return logs
