"""One step of distillation: how far the student is from the teacher, and which way every weight should go.

The loss is KL(teacher || student) in nats a token, over all positions of a window. The student computes with what ggml
makes of its weights, and the gradient at those values is given to the weights themselves (the straight-through
estimator: Bengio, Léonard and Courville, arXiv 1308.3432).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
import torch.nn.functional as F  # noqa: N812  (torch's own spelling)

from memfit.search.recover.network import Network, Weights

S = TypeVar("S")
T = TypeVar("T")

MOST_LOGITS = 1 << 22  # of one piece of a window: bounds what a large vocabulary takes


class Distiller:
    """Gradients of a student, by several workers that each take whole windows.

    Workers do not wait inside an operation, which on few cores costs more than half of the time, and their gradients
    are added in a fixed order, so the same seed gives the same weights on one machine.

    Args:
        network: of both.
        teacher: its weights.
        workers: windows at once.
        threads: that workers share; those that wait for each other inside an operation cost more than they bring, so
            that no more than one is taken for each worker where there are as many workers.
        half: compute in bfloat16 where the machine has instructions for it.
    """

    def __init__(self, network: Network, teacher: Weights, *, workers: int, threads: int, half: bool) -> None:
        self._network = network
        self._teacher = teacher
        self._device = teacher["token_embd.weight"].device
        self._workers, self._threads = workers, threads
        self._half = half
        self._pool = ThreadPoolExecutor(workers)

    def gradients(
        self, student: Weights, wanted: Sequence[str], windows: torch.Tensor
    ) -> tuple[float, Mapping[str, torch.Tensor]]:
        """The mean divergence over windows (windows, tokens), and its gradient by each wanted tensor."""
        parts = [part for part in windows.tensor_split(self._workers) if len(part)]

        def work(part: torch.Tensor) -> tuple[float, dict[str, torch.Tensor]]:
            # aliases: the same numbers, and gradients of its own
            own = {name: weight.detach().requires_grad_(name in asked) for name, weight in student.items()}
            total = sum(self._backward(own, window[None], windows.numel()) for window in part)
            return total, {name: own[name].grad for name in wanted if own[name].grad is not None}

        asked = frozenset(wanted)
        found = self.spread(work, parts)
        sums = found[0][1]
        for _, gradients in found[1:]:
            for name, gradient in gradients.items():
                sums[name] += gradient
        return sum(total for total, _ in found), sums

    def divergence(self, student: Weights, windows: torch.Tensor) -> float:
        """The mean divergence over windows (windows, tokens), in float32 and without gradients."""

        def work(window: torch.Tensor) -> float:
            ids = window[None].to(self._device)
            with torch.no_grad():
                of_teacher = self._network.hidden(self._teacher, ids)
                of_student = self._network.hidden(student, ids)
                pieces = self._pieces(of_teacher, of_student)
                return float(sum(self._apart(student, one, other).item() for one, other in pieces))

        return sum(self.spread(work, list(windows))) / int(windows.numel())

    def _backward(self, student: Weights, ids: torch.Tensor, tokens: int) -> float:
        """Add a window's share of the gradient to the student's; returns its share of the loss."""
        ids = ids.to(self._device)
        total = 0.0
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._half):
            with torch.no_grad():
                of_teacher = self._network.hidden(self._teacher, ids)
            of_student = self._network.hidden(student, ids)
            # the head piece by piece, each with its backward pass, so that no more than a piece of logits is ever there
            stop = of_student.detach().requires_grad_()
            for one, other in self._pieces(of_teacher, stop):
                loss = self._apart(student, one, other) / tokens
                loss.backward()
                total += loss.item()
        of_student.backward(stop.grad)
        return total

    def _apart(self, student: Weights, of_teacher: torch.Tensor, of_student: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            p = self._network.logits(self._teacher, of_teacher).log_softmax(-1)
        q = self._network.logits(student, of_student).log_softmax(-1)
        return F.kl_div(q, p, log_target=True, reduction="sum")

    def _pieces(self, *hidden: torch.Tensor) -> list[tuple[torch.Tensor, ...]]:
        rows = max(1, MOST_LOGITS // self._network.vocabulary_tokens)
        return list(zip(*(one.flatten(0, -2).split(rows) for one in hidden), strict=True))

    def spread(self, work: Callable[[S], T], parts: Sequence[S]) -> list[T]:
        """What ``work`` makes of each part, in their order, by all workers."""
        if self._workers == 1:
            return [work(part) for part in parts]

        def alone(part: S) -> T:
            torch.set_num_threads(max(1, self._threads // self._workers))  # torch keeps this by thread
            return work(part)

        return list(self._pool.map(alone, parts))
