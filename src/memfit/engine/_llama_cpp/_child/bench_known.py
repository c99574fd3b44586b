"""What was gathered of activations and gradients, and what of it guides how a weight is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from memfit.engine._llama_cpp._child.bench_balance import BALANCE, HEAD, NORM
from memfit.engine._llama_cpp._child.bench_coupling import Outputs
from memfit.engine._llama_cpp._child.bench_moments import GRADIENTS, MOMENTS, SHARED, Moments, moments_from
from memfit.engine._llama_cpp._child.bench_weights import Guide, Weight

_IDLE = "idle"  # what experts without a token are kept as, beside a weight's name


class Known(NamedTuple):
    """All that was gathered.

    Attributes:
        importance: by weight. noise: what rounding takes from activations, by weight and size of block.
        moments: second moments of them. outputs: of gradients at what weights give.
        idle: experts that no token was sent to, by weight.
        balance: of ``bench_balance``, by weight, see ``Guide``.
    """

    importance: dict[str, Any]
    noise: dict[tuple[str, int], Any]
    moments: Moments
    idle: dict[str, int]
    outputs: Outputs
    balance: dict[str, Any]

    def guide(self, weight: Weight) -> Guide:
        """All that is known of a weight."""
        name, importance = weight.name, self.importance.get(weight.name)
        if weight.matrices > 1:
            return Guide(importance)
        balance = self.balance.get(name)
        scales = None if balance is None else balance[0]
        moments = self.moments.of(name, scales)
        if importance is None and moments is not None:  # a table of tokens
            importance = np.diagonal(moments, axis1=1, axis2=2).reshape(1, -1)
        elif importance is not None and scales is not None:
            importance = importance / scales**2
        coupled = self.outputs.coupled(name) or None
        return Guide(importance, moments, self.moments.prepared(name, scales), coupled, balance)

    def guides(self, wanted: Sequence[tuple[Weight, int]], *, plain: bool, trained: bool) -> Iterator[Guide]:
        """How each weight of a file is stored in a format, ggml's number of which is beside it; one after another.

        Args:
            wanted: all of the file: the norm before a head that changes is not what it was.
            plain: as llama-quantize does it: by importances alone.
            trained: with no error fed back, of numbers whose columns were balanced before.
        """
        balance = None if plain or trained else self.balance.get(HEAD)
        if not any(one.name == HEAD and one.kind != kind for one, kind in wanted):
            balance = None
        for one, kind in wanted:
            if balance is not None and one.name == NORM:
                yield Guide(balance=np.stack([1 / balance[0], np.zeros_like(balance[0])]))
            elif plain or kind == one.kind:
                yield Guide(self.importance.get(one.name))
            else:
                yield Guide(self.guide(one).importance) if trained else self.guide(one)


def write_known(file: BinaryIO, known: Known) -> None:
    """As arrays: importances under the names of weights, the rest beside."""
    noises: dict[str, Any] = {f"{name}|{block}": value for (name, block), value in known.noise.items()}
    idle: dict[str, Any] = {f"{name}|{_IDLE}": np.array(count) for name, count in known.idle.items()}
    balance = {f"{name}{BALANCE}": content for name, content in known.balance.items()}
    np.savez(file, **known.importance, **noises, **idle, **balance, **known.moments.arrays(), **known.outputs.arrays())


def read_known(arrays: Mapping[str, Any]) -> Known:
    """What ``write_known`` wrote."""
    gradients = {name.removesuffix(GRADIENTS): content for name, content in arrays.items() if name.endswith(GRADIENTS)}
    balance = {name.removesuffix(BALANCE): content for name, content in arrays.items() if name.endswith(BALANCE)}
    found = Known({}, {}, moments_from(arrays), {}, Outputs(gradients), balance)
    for name, content in arrays.items():
        weight, _, what = name.partition("|")
        if what == _IDLE:
            found.idle[weight] = int(content)
        elif what:
            found.noise[weight, int(what)] = content
        elif not name.endswith((MOMENTS, SHARED, GRADIENTS, BALANCE)):
            found.importance[name] = content
    return found
