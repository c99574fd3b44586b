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

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from memfit.engine._llama_cpp._child.bench_moments import SIZE, Moments
from memfit.engine._llama_cpp._child.bench_network import Block, Network, Seen, normed, rotation, unnormed
from memfit.engine._llama_cpp._child.bench_weights import Codec, Weight

_SEED = 0
_PIECE = 1024  # rows of the head at a time
_WIDE, _NARROW = 8192, 64  # outputs, from which on they are cut into blocks of so many: it is those that take the room
_MOST_HELD = 1 << 30  # bytes of what layers are given
_HEAD, _EMBEDDING = "output.weight", "token_embd.weight"


class Gradients:
    """Second moments of gradients at what each matrix gives, in blocks of rows: ``outputs``, by weight.

    Args:
        codec: reads weights.
        weights: all of the model's, by name.
        network: see there.
        threads: windows that are worked on at once.
        inputs: second moments of what multiplies a matrix, which become means of them as they are and of them with each
            token weighted by the squares of its gradients there.
    """

    def __init__(
        self, codec: Codec, weights: Mapping[str, Weight], network: Network, threads: int, inputs: Moments
    ) -> None:
        self._codec, self._weights, self._net, self._inputs = codec, weights, network, inputs
        self._pool = ThreadPoolExecutor(threads)
        self.outputs: dict[str, Any] = {}

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
            x = np.stack(list(self._pool.map(lambda one, own=block: own.forward(one, turn).out, x)))
            del block  # before the next is read
            yield layer
        slopes = self._head(x)
        for layer in reversed(range(self._net.layers)):
            block = self._block(layer)
            found = list(
                self._pool.map(lambda one, slope, own=block: own.backward(one, slope, turn), kept.pop(), slopes)
            )
            del block
            slopes = np.stack([slope for slope, _ in found])
            self._learn(f"blk.{layer}.", [seen for _, seen in found])
            yield 2 * self._net.layers - 1 - layer

    def _learn(self, of: str, found: Sequence[Sequence[Seen]]) -> None:
        """Take in what all windows showed of a layer's matrices."""
        for seen in zip(*found, strict=True):
            weighted = Moments()
            gathered = {
                name: Moments(SIZE if one.shape[1] <= _WIDE else _NARROW) for name, one in seen[0].slopes.items()
            }
            first = next(iter(seen[0].slopes))
            power = {
                name: np.concatenate([np.einsum("ij,ij->i", one.slopes[name], one.slopes[name]) for one in seen])
                for name in seen[0].slopes
            }
            scales = np.sum([one / (one.mean() or 1.0) for one in power.values()], axis=0)
            at = 0
            for one in seen:
                for name, slope in one.slopes.items():
                    gathered[name].add(f"{of}{name}.weight", None, slope)
                own = scales[at : at + len(one.rows)]
                weighted.add(f"{of}{first}.weight", None, one.rows * np.sqrt(own)[:, None])
                at += len(own)
            for each in gathered.values():
                each.finish()
                self.outputs.update(each.means)
            self._blend(f"{of}{first}.weight", weighted)

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
        weight = self._weights[_EMBEDDING]
        size = self._codec.row_bytes(weight.kind, weight.dims[0])
        content = np.memmap(weight.path, np.uint8, "r", weight.offset, (weight.rows, size))
        rows = self._codec.decode(weight.kind, np.array(content[ids.reshape(-1)]).reshape(-1), weight.dims[0])
        return rows.reshape(*ids.shape, -1)

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
        scale, epsilon = self._matrix("output_norm.weight")[0], self._net.epsilon
        weight = self._weights.get(_HEAD, self._weights[_EMBEDDING])
        bias = self._optional("output.bias")
        width = x.shape[-1]
        hidden, kept = normed(x.reshape(-1, width), scale, epsilon)
        most = np.full(len(hidden), -np.inf, np.float32)
        total = np.zeros_like(most)
        for at, piece in self._pieces(weight):
            logits = self._times(hidden, piece, bias, at)
            top = np.maximum(most, logits.max(axis=1))
            total = total * np.exp(most - top) + np.exp(logits - top[:, None]).sum(axis=1)
            most = top
        slope, even, passed = np.zeros_like(hidden), np.zeros_like(most), np.zeros_like(most)
        mark = np.random.default_rng(_SEED).random(len(hidden), np.float32)  # the token where so much has passed
        for at, piece in self._pieces(weight):
            p = np.exp(self._times(hidden, piece, bias, at) - (most + np.log(total))[:, None])
            even += np.einsum("ij,ij->i", p, p)
            reached = passed + p.sum(axis=1)
            last = at + len(piece) == weight.rows
            own = np.flatnonzero((passed <= mark) & ((mark < reached) | last))
            place = (passed[own, None] + np.cumsum(p[own], axis=1) <= mark[own, None]).sum(axis=1)
            p[own, np.minimum(place, len(piece) - 1)] -= 1
            passed = reached
            slope += p @ piece
        weighted = Moments()
        weighted.add(weight.name, None, hidden * np.sqrt(np.maximum(1 - even, 0))[:, None])
        self._blend(weight.name, weighted)
        return unnormed(slope, scale, kept).reshape(x.shape)

    def _pieces(self, weight: Weight) -> Iterator[tuple[int, Any]]:
        at = 0
        for _, rows in self._codec.matrices(weight):
            for start in range(0, len(rows), _PIECE):
                piece = rows[start : start + _PIECE]
                yield at, piece
                at += len(piece)

    def _times(self, hidden: Any, piece: Any, bias: Any, at: int) -> Any:
        step = max(1, -(-len(hidden) // 8))
        parts = self._pool.map(lambda start: hidden[start : start + step] @ piece.T, range(0, len(hidden), step))
        logits = np.concatenate(list(parts))
        return logits if bias is None else logits + bias[at : at + len(piece)]
