"""What was gathered of activations and gradients, and what of it guides how a weight is stored."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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
        importance: by weight. noise: what rounding takes from activations, by weight and size of block; those that meet
            a balanced weight under its name with ``BALANCE`` behind.
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
        name = weight.name
        if weight.matrices > 1:
            return Guide(self.importance.get(name))
        balance = self.balance.get(name)
        scales = None if balance is None else balance[0]
        blocks, coupled = self.moments.prepared(name, scales), self.outputs.coupled(name) or None
        return Guide(self.columns(name), self.moments.of(name, scales), blocks, coupled, balance)

    def plain(self, weight: Weight) -> Guide:
        """The same for llama-quantize's rounding of the weight as it is; moments tell what that loses."""
        return Guide(self.importance.get(weight.name), self.moments.of(weight.name) if weight.matrices == 1 else None)

    def columns(self, name: str) -> Any:
        """What columns count for: by what meets a balanced weight; of a table of tokens, by gradients."""
        importance, balance, moments = self.importance.get(name), self.balance.get(name), self.moments.of(name)
        if importance is None:
            return None if moments is None else np.diagonal(moments, axis1=1, axis2=2).reshape(1, -1)
        return importance if balance is None else importance / balance[0] ** 2

    def noises(self, name: str, blocks: Iterable[int]) -> tuple[dict[int, Any], dict[int, Any]]:
        """What rounding takes of a weight's activations by size of block, None where that is not known.

        When the weight is balanced, and as it is.
        """
        plain = {block: self.noise.get((name, block)) for block in blocks}
        if name not in self.balance:
            return plain, plain
        return {block: self.noise.get((name + BALANCE, block)) for block in blocks}, plain

    def guides(
        self, wanted: Sequence[tuple[Weight, int]], *, plain: bool, trained: Collection[str] | None
    ) -> Iterator[Guide]:
        """How each weight of a file is stored in a format, ggml's number of which is beside it; one after another.

        Args:
            wanted: all of the file: the norm before a head that changes is not what it was.
            plain: as llama-quantize does it: by importances alone.
            trained: numbers lie elsewhere, and were trained for their formats: no error is fed back. Those of a head
                that is named here, as it changes its format, were balanced before.
        """
        balance = None if plain or trained is not None else self.balance.get(HEAD)
        if not any(one.name == HEAD and one.kind != kind for one, kind in wanted):
            balance = None
        for one, kind in wanted:
            if balance is not None and one.name == NORM:
                yield Guide(balance=np.stack([1 / balance[0], np.zeros_like(balance[0])]))
            elif plain or kind == one.kind:
                yield Guide(self.importance.get(one.name))
            elif trained is None:
                yield self.guide(one)
            else:
                as_it_was = one.name == HEAD and HEAD not in trained
                yield Guide(self.importance.get(one.name) if as_it_was else self.columns(one.name))


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
