"""How far two models' predictions are from each other: the arithmetic, on rows of logits, without an engine.

The divergence of a row is KL(base || other) = sum over the vocabulary of p log(p/q), in nats. Where all of the base's
row is at hand it is summed as it stands. Where it is not, a ``Sample`` of it stands for it: the likeliest ids, and
ids drawn from the rest by their probability. As sum(q - p) is zero, KL is also the sum of p (q/p - 1 - log(q/p)), whose
addends are never negative and small where p and q are near (the estimator "k3", Schulman 2020,
http://joschu.net/blog/kl-approx.html). Summed over the likeliest, and averaged over the drawn, it is unbiased, and
72 bytes a token do for what takes llama-perplexity two bytes an entry of the vocabulary.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = Any  # numpy.ndarray; this runs on Pythons whose numpy has no such parameter

BLOCK_ROWS = 64  # rows computed at a time: bounds what a large vocabulary takes


class Sample(NamedTuple):
    """What is kept of the base's predictions, a row each.

    Attributes:
        expected: log probability of the token that comes, (rows,) float32.
        ids: likeliest first, then drawn from the rest, (rows, likeliest + drawn) int32.
        values: their log probabilities, (rows, likeliest + drawn) float32.
        likeliest: how many of them are.
        rest: probability of all but the likeliest, (rows,) float32.
    """

    expected: Array
    ids: Array
    values: Array
    likeliest: int
    rest: Array


class Scores(NamedTuple):
    """A model's rows beside the base's.

    Attributes:
        expected: log probability of the token that comes, (rows,) float32.
        divergence: KL(base || this) in nats, (rows,) float32; None without a base.
        agree: whether both give the same token the highest probability, (rows,) bool; None without a base.
    """

    expected: Array
    divergence: Array | None
    agree: Array | None


def log_probabilities(logits: Array) -> Array:
    """Logits as log probabilities, in float32; a row each. The largest is taken off first, so that nothing overflows."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted


def plain(logits: Array, expected: Array) -> Scores:
    """Rows of one model alone.

    Args:
        logits: (rows, vocabulary) float32.
        expected: the ids that come, (rows,).
    """
    picked = [log_probabilities(block)[np.arange(len(ids)), ids] for block, ids in _blocks(logits, expected)]
    return Scores(np.concatenate(picked), None, None)


def exact(base: Array, other: Array, expected: Array) -> tuple[Array, Scores]:
    """The base's own log probabilities of what comes, and the other's rows beside it.

    Args:
        base, other: logits of the same rows, (rows, vocabulary) float32.
        expected: the ids that come, (rows,).
    """
    of_base, found, divergences, agreeing = [], [], [], []
    for start in range(0, len(expected), BLOCK_ROWS):
        stop = min(start + BLOCK_ROWS, len(expected))
        rows, ids = np.arange(stop - start), expected[start:stop]
        p, q = log_probabilities(base[start:stop]), log_probabilities(other[start:stop])
        of_base.append(p[rows, ids])
        found.append(q[rows, ids])
        agreeing.append(p.argmax(axis=1) == q.argmax(axis=1))
        q -= p
        # p (exp(q - p) - 1 - (q - p)): no addend is negative, so none cancels another
        divergences.append(np.einsum("ij,ij->i", np.exp(p), np.expm1(q) - q))
    return np.concatenate(of_base), Scores(np.concatenate(found), np.concatenate(divergences), np.concatenate(agreeing))


def sample(logits: Array, expected: Array, likeliest: int, drawn: int, random: Any) -> Sample:
    """What to keep of the base's rows.

    Args:
        logits: (rows, vocabulary) float32.
        expected: the ids that come, (rows,).
        likeliest, drawn: how many ids of each; fewer where the vocabulary is smaller.
        random: a ``numpy.random.Generator``.
    """
    likeliest = min(likeliest, logits.shape[1])
    drawn = drawn if likeliest < logits.shape[1] else 0
    parts = []
    for block, ids in _blocks(logits, expected):
        rows = np.arange(len(ids))[:, None]
        p = log_probabilities(block)
        top = np.argpartition(p, -likeliest, axis=1)[:, -likeliest:]
        top = np.take_along_axis(top, np.argsort(-p[rows, top], axis=1), axis=1)
        chosen = top
        weights = np.exp(p)
        weights[rows, top] = 0.0
        rest = weights.sum(axis=1)
        if drawn:
            sums = weights.cumsum(axis=1)
            # one number in each of ``drawn`` equal shares of the rest: less variance than free draws, and no bias
            shares = (np.arange(drawn) + random.random((len(ids), drawn))) / drawn
            lots = shares * sums[:, -1:]
            picked = np.stack([np.searchsorted(line, lot) for line, lot in zip(sums, lots, strict=True)])
            chosen = np.concatenate([top, np.minimum(picked, p.shape[1] - 1)], axis=1)
        parts.append((p[rows[:, 0], ids], chosen.astype(np.int32), p[rows, chosen], rest))
    expected_values, chosen_ids, values, rests = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Sample(expected_values, chosen_ids, values, likeliest, rests)


def joined(samples: list[Sample]) -> Sample:
    """Rows of several samples, one after another."""
    columns = [
        np.concatenate([getattr(one, name) for one in samples]) for name in ("expected", "ids", "values", "rest")
    ]
    return Sample(columns[0], columns[1], columns[2], samples[0].likeliest, columns[3])


def beside(base: Sample, start: int, logits: Array, expected: Array) -> Scores:
    """Rows of a model beside a sample of the base's.

    Args:
        base: of all rows.
        start: the first of them that ``logits`` has.
        logits: (rows, vocabulary) float32.
        expected: the ids that come, (rows,).
    """
    found, divergences, agreeing = [], [], []
    for block, ids in _blocks(logits, expected):
        rows = np.arange(len(ids))
        kept = slice(start, start + len(ids))
        start += len(ids)
        top = block.argmax(axis=1)
        largest = block[rows, top]
        normal = largest + np.log(np.exp(block - largest[:, None]).sum(axis=1))
        found.append(block[rows, ids] - normal)
        p = base.values[kept]
        change = block[rows[:, None], base.ids[kept]] - normal[:, None] - p
        addends = np.expm1(change) - change
        near = np.einsum("ij,ij->i", np.exp(p[:, : base.likeliest]), addends[:, : base.likeliest])
        if addends.shape[1] > base.likeliest:
            near += base.rest[kept] * addends[:, base.likeliest :].mean(axis=1)
        divergences.append(near)
        agreeing.append(top == base.ids[kept, 0])
    return Scores(np.concatenate(found), np.concatenate(divergences), np.concatenate(agreeing))


def _blocks(logits: Array, expected: Array) -> Any:
    for start in range(0, len(expected), BLOCK_ROWS):
        yield logits[start : start + BLOCK_ROWS], expected[start : start + BLOCK_ROWS]
