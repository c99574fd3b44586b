"""What a model must beat: the same text predicted from token frequencies alone, and from the token before."""

from __future__ import annotations

from dataclasses import dataclass

import torch

_PSEUDO_COUNT = 0.5


@dataclass(frozen=True)
class Baselines:
    """Mean loss in nats per token of ids that were held out."""

    uniform: float
    unigram: float
    bigram: float


def baselines(train: torch.Tensor, held_out: torch.Tensor, n_vocab: int) -> Baselines:
    """Count on ``train``, predict ``held_out``; the bigram is interpolated with the unigram (Witten and Bell)."""
    unigram = torch.bincount(train, minlength=n_vocab).double() + _PSEUDO_COUNT
    unigram /= unigram.sum()
    pairs = torch.zeros(n_vocab, n_vocab, dtype=torch.double)
    pairs.index_put_((train[:-1], train[1:]), torch.ones(len(train) - 1, dtype=torch.double), accumulate=True)
    seen, distinct = pairs.sum(1), (pairs > 0).sum(1).clamp_min(1)  # after a token that nothing followed: the unigram
    before, after = held_out[:-1], held_out[1:]
    behind = distinct[before] * unigram[after]
    bigram = (pairs[before, after] + behind) / (seen[before] + distinct[before])
    return Baselines(
        uniform=float(torch.tensor(float(n_vocab)).log()),
        unigram=-float(unigram[after].log().mean()),
        bigram=-float(bigram.log().mean()),
    )
