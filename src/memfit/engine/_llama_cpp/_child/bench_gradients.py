"""What errors of outputs do to the predictions: second moments of gradients, by a backward pass of our own.

For small changes KL(base || changed) is half of the changes' square by the Fisher information (Kullback, Information
Theory and Statistics, 1959, section 2.6). For a matrix that information is near to a product: second moments H of what
it is multiplied with, and second moments G of the gradient at what it gives, of the log probability of tokens that the
model itself would draw (K-FAC, Martens and Grosse, arXiv 1503.05671; for rounding: YAQA, arXiv 2505.22988, and
GuidedQuant, arXiv 2505.07004, which weights H by the gradients as is done here). The engine runs no such pass,
so the network is computed here. Weights are read layer by layer, once forward and once backward.

For 8B parameters that takes as long as three windows forward and back, some hundredths of what probes take, and 3 GiB
of memory beside the moments, of which 0.7 GiB are kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from memfit.engine._llama_cpp._child.bench_activations import BLOCKS, squared_loss
from memfit.engine._llama_cpp._child.bench_balance import BALANCE, HEAD, NORM, fitted
from memfit.engine._llama_cpp._child.bench_moments import SIZE, Moments
from memfit.engine._llama_cpp._child.bench_network import Block, Network, Seen, normed, rotation, unnormed
from memfit.engine._llama_cpp._child.bench_weights import Codec, Weight

_SEED, _F32 = 0, 0
_PIECE, _MOST_ROWS = 1024, 4096  # rows of the head, and of what it is multiplied with, at a time
_WIDE, _NARROW = 8192, 64  # outputs, from which on they are cut into blocks of so many: it is those that take the room
_MOST_HELD = 1 << 30  # bytes of what layers are given
_EMBEDDING = "token_embd.weight"
_SAMPLED = 512  # rows of the head, and of what it is multiplied with, to which it is balanced


class Gradients:
    """Second moments of gradients at what each matrix gives, in blocks of rows: ``outputs``, by weight.

    ``balance`` of ``bench_balance`` by weight, ``noise`` of activations that meet those by weight and size of block.

    Args:
        codec: reads weights.
        weights: all of the model's, by name.
        network: see there.
        threads: windows that are worked on at once.
        inputs: second moments of what multiplies a matrix, which become means of them as they are and of them with each
            token weighted by the squares of its gradients there; a table of tokens, which nothing multiplies, gets
            those of gradients at its rows.
    """

    def __init__(
        self, codec: Codec, weights: Mapping[str, Weight], network: Network, threads: int, inputs: Moments
    ) -> None:
        self._codec, self._weights, self._net, self._inputs = codec, weights, network, inputs
        self._pool, self._threads = ThreadPoolExecutor(threads), threads
        self.outputs: dict[str, Any] = {}
        self.balance: dict[str, Any] = {}
        self.noise: dict[tuple[str, int], Any] = {}

    def fitting(self, windows: Sequence[Sequence[int]]) -> list[Sequence[int]]:
        """As many of these windows, evenly spread, as can be held: what every layer is given, of each."""
        each = 4 * len(windows[0]) * self._weights[_EMBEDDING].dims[0] * (self._net.layers + 2)
        count = min(len(windows), max(1, _MOST_HELD // each))
        return [windows[at * len(windows) // count] for at in range(count)]

    def gather(self, windows: Sequence[Sequence[int]]) -> Iterator[int]:
        """Learn from windows of ids, all of one length; yields steps that are done, of ``2 * layers``."""
        ids = np.array(windows)
        x = self._embedded(ids)
        turn = rotation(self._net, self._optional("rope_freqs.weight"), ids.shape[1])
        kept = []
        for layer in range(self._net.layers):
            kept.append(x)
            block = self._block(layer)
            after = np.empty_like(x)
            for at, out in enumerate(self._map(lambda one, own=block: own.forward(one, turn).out, x)):
                after[at] = out
            x = after
            del block  # before the next is read
            yield layer
        slopes = self._head(x)
        del x, after
        for layer in reversed(range(self._net.layers)):
            block = self._block(layer)
            learned: list[_Learned] = []
            found = self._map(lambda one, slope, own=block: own.backward(one, slope, turn), kept.pop(), slopes)
            for at, (slope, seen) in enumerate(found):
                learned = learned or [_Learned(f"blk.{layer}.", one, len(ids)) for one in seen]
                for each, one in zip(learned, seen, strict=True):
                    each.take(at, one)
                slopes[at] = slope  # last, as what was seen may lie there
            del block
            while learned:
                self._weigh(learned.pop(0))
            yield 2 * self._net.layers - 1 - layer
        self._look_up(slopes)

    def _map(self, work: Callable[..., Any], *given: Any) -> Iterator[Any]:
        """In order, a few at once: what is done early waits, and does not pile up."""
        waiting: deque[Any] = deque()
        for each in zip(*given, strict=True):
            waiting.append(self._pool.submit(work, *each))
            if len(waiting) > self._threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _weigh(self, learned: _Learned) -> None:
        """Take in what all windows showed at some matrices of a layer."""
        for moments in learned.slopes.values():
            moments.finish()
            self.outputs.update(moments.means)
        weighted = Moments()
        for rows in learned.weighted():
            weighted.add(learned.name, None, rows)
        self._blend(learned.name, weighted)

    def _look_up(self, slopes: Any) -> None:
        """Take in gradients at what the table of tokens gives: they say which errors of its rows can cancel."""
        if HEAD not in self._weights:
            return  # the table is the head as well, and what that is multiplied with counts for more
        table = Moments()
        for slope in slopes:
            table.add(_EMBEDDING, None, slope)
        table.finish()
        self._inputs.include(table)

    def _blend(self, name: str, weighted: Moments) -> None:
        weighted.finish()
        plain, other = self._inputs.of(name), weighted.of(name)
        if plain is None or other is None:
            return
        whole, part = (float(np.trace(one, axis1=1, axis2=2).sum()) for one in (plain, other))
        if part > 0:
            plain += (other * np.float32(whole / part) - plain) / 2

    def _matrix(self, name: str) -> Any:
        return np.concatenate([values for _, values in self._codec.matrices(self._weights[name])])

    def _optional(self, name: str) -> Any:
        return self._matrix(name)[0] if name in self._weights else None

    def _embedded(self, ids: Any) -> Any:
        return self._rows(_EMBEDDING, ids.reshape(-1)).reshape(*ids.shape, -1)

    def _rows(self, name: str, ids: Any) -> Any:
        weight = self._weights[name]
        size = self._codec.row_bytes(weight.kind, weight.dims[0])
        content = np.memmap(weight.path, np.uint8, "r", weight.offset, (weight.rows, size))
        return self._codec.decode(weight.kind, np.array(content[ids]).reshape(-1), weight.dims[0])

    def _block(self, layer: int) -> Block:
        of = f"blk.{layer}."
        own = {name.removeprefix(of): name for name in self._weights if name.startswith(of)}
        read = {
            short: matrix if short.endswith("weight") and "norm" not in short else matrix[0]
            for short, matrix in ((short, self._matrix(name)) for short, name in own.items())
        }
        return Block(self._net, read)

    def _head(self, x: Any) -> Any:
        """Gradients at what the last layer gives, for tokens that are drawn; logits are computed twice, in pieces."""
        scale, epsilon = self._matrix(NORM)[0], self._net.epsilon
        weight = self._weights.get(HEAD, self._weights[_EMBEDDING])
        bias = self._optional("output.bias")
        width = x.shape[-1]
        hidden, kept = normed(x.reshape(-1, width), scale, epsilon)
        most = np.full(len(hidden), -np.inf, np.float32)
        total = np.zeros_like(most)
        slope, even, passed = np.zeros_like(hidden), np.zeros_like(most), np.zeros_like(most)
        mark = np.random.default_rng(_SEED).random(len(hidden), np.float32)  # the token where so much has passed

        def sum_up(own: slice, piece: Any, at: int) -> None:
            logits = _times(hidden[own], piece, bias, at)
            top = np.maximum(most[own], logits.max(axis=1))
            logits -= top[:, None]
            total[own] = total[own] * np.exp(most[own] - top) + np.exp(logits, out=logits).sum(axis=1)
            most[own] = top

        def draw(own: slice, piece: Any, at: int) -> Any:
            p = _times(hidden[own], piece, bias, at)
            p -= (most[own] + np.log(total[own]))[:, None]
            np.exp(p, out=p)
            uncertain = np.maximum(p.sum(axis=0) - np.einsum("ij,ij->j", p, p), 0)  # below it by rounding
            even[own] += np.einsum("ij,ij->i", p, p)
            before = passed[own].copy()
            reached = before + p.sum(axis=1)
            last = at + len(piece) == weight.rows
            here = np.flatnonzero((before <= mark[own]) & ((mark[own] < reached) | last))
            place = (before[here, None] + np.cumsum(p[here], axis=1) <= mark[own][here, None]).sum(axis=1)
            p[here, np.minimum(place, len(piece) - 1)] -= 1
            passed[own] = reached
            slope[own] += p @ piece
            return uncertain

        step = min(_MOST_ROWS, max(1, -(-len(hidden) // 8)))
        parts = [slice(start, start + step) for start in range(0, len(hidden), step)]
        for at, piece in self._pieces(weight):
            deque(self._map(lambda own, piece=piece, at=at: sum_up(own, piece, at), parts), 0)
        uncertain, common = np.zeros(weight.rows), np.zeros(width)
        for at, piece in self._pieces(weight):
            for found in self._map(lambda own, piece=piece, at=at: draw(own, piece, at), parts):
                uncertain[at : at + len(piece)] += found
            common += uncertain[at : at + len(piece)] @ piece
        weighted = Moments()
        weighted.add(weight.name, None, hidden * np.sqrt(np.maximum(1 - even, 0))[:, None])
        self._blend(weight.name, weighted)
        if weight.name == HEAD:
            self._balance(hidden, uncertain, common)
        return unnormed(slope, scale, kept).reshape(x.shape)

    def _balance(self, hidden: Any, uncertain: Any, common: Any) -> None:
        """Learn which other head predicts the same, and what rounding takes of that head's activations.

        Args:
            hidden: what the head is multiplied with, (tokens, width).
            uncertain: how much each of its rows counts, (rows,).
            common: of rows, their sum weighted so.
        """
        whole = float(uncertain.sum())
        if not whole > 0 or self._weights[NORM].kind != _F32:
            return  # a norm in fewer bits would not hold what its factors become
        taken = (common / whole).astype(np.float32)
        random = np.random.default_rng(_SEED)
        chosen = random.choice(len(uncertain), min(_SAMPLED, len(uncertain)), p=uncertain / whole)
        some = hidden[np.sort(random.choice(len(hidden), min(_SAMPLED, len(hidden)), replace=False))]
        factors = fitted(self._rows(HEAD, np.sort(chosen)) - taken, some)
        if factors is None:
            return
        self.balance[HEAD] = np.stack([factors, taken])
        for block in BLOCKS:
            lost = squared_loss(some / factors, block)
            if lost is not None:
                self.noise[HEAD + BALANCE, block] = lost.mean(axis=0)

    def _pieces(self, weight: Weight) -> Iterator[tuple[int, Any]]:
        at = 0
        for _, rows in self._codec.matrices(weight):
            for start in range(0, len(rows), _PIECE):
                piece = rows[start : start + _PIECE]
                yield at, piece
                at += len(piece)


class _Learned:
    """What windows show at matrices that are multiplied with the same, one after another.

    Moments of gradients are summed as they come. What the matrices were multiplied with is held, as how much a token
    counts is known only when all are there.

    Args:
        of: begin of their names.
        first: what one window showed.
        windows: that will come.
    """

    def __init__(self, of: str, first: Seen, windows: int) -> None:
        tokens = len(first.rows)
        self._of = of
        self.name = f"{of}{next(iter(first.slopes))}.weight"
        self._rows = np.empty((windows, *first.rows.shape), first.rows.dtype)
        self._power = {name: np.empty(windows * tokens, one.dtype) for name, one in first.slopes.items()}
        self.slopes = {name: Moments(SIZE if one.shape[1] <= _WIDE else _NARROW) for name, one in first.slopes.items()}

    def take(self, window: int, seen: Seen) -> None:
        """One more."""
        self._rows[window] = seen.rows
        tokens = len(seen.rows)
        for name, slope in seen.slopes.items():
            self._power[name][window * tokens : (window + 1) * tokens] = np.einsum("ij,ij->i", slope, slope)
            self.slopes[name].add(f"{self._of}{name}.weight", None, slope)

    def weighted(self) -> Iterator[Any]:
        """What they were multiplied with, each token by the size of its gradients."""
        scales = np.sum([one / (one.mean() or 1.0) for one in self._power.values()], axis=0)
        for rows, own in zip(self._rows, scales.reshape(len(self._rows), -1), strict=True):
            yield rows * np.sqrt(own)[:, None]


def _times(hidden: Any, piece: Any, bias: Any, at: int) -> Any:
    logits = hidden @ piece.T
    if bias is not None:
        logits += bias[at : at + len(piece)]
    return logits
