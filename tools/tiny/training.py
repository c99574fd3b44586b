"""The training loop: AdamW, a cosine schedule, the batch split over two threads that never wait inside an operation.

Every operation runs on one thread and the two halves' gradients are added in a fixed order, so a run repeats bit for
bit on one machine, whatever else that machine does.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812  (torch's own spelling)

from tiny import network
from tiny.network import Parameters, Sizes

THREADS = 2


@dataclass(frozen=True)
class Share:
    """The steps that see windows of one length; the shares of a recipe are shuffled into each other.

    Args:
        steps: optimiser steps.
        length_tokens: tokens of one window.
        windows: windows per step, a multiple of ``THREADS``.
    """

    steps: int
    length_tokens: int
    windows: int


@dataclass(frozen=True)
class Recipe:
    """What, besides the data and the sizes, decides the weights."""

    shares: tuple[Share, ...] = (Share(5600, 512, 4), Share(300, 2048, 2))
    peak_rate: float = 2.5e-3
    warm_up_steps: int = 100
    weight_decay: float = 0.1
    seed: int = 1

    @property
    def steps(self) -> int:
        """Optimiser steps of all shares."""
        return sum(share.steps for share in self.shares)

    @property
    def tokens(self) -> int:
        """Tokens seen over all shares, repeats counted."""
        return sum(share.steps * share.length_tokens * share.windows for share in self.shares)


@dataclass(frozen=True)
class Point:
    """One point of the loss curve: mean loss in nats per token over the steps since the point before."""

    step: int
    loss: float
    elapsed_s: float


def train(sizes: Sizes, recipe: Recipe, stream: torch.Tensor, start_of_text: int) -> tuple[Parameters, list[Point]]:
    """Train from scratch.

    Args:
        sizes: sizes of the network.
        recipe: schedule and seed.
        stream: ids of all training documents in a row, each after a ``start_of_text``.
        start_of_text: id put at the start of every window, as llama.cpp puts it at the start of every prompt.

    Returns:
        The parameters and the loss curve, a point every 100 steps.
    """
    torch.set_num_threads(1)
    p = network.initialise(sizes, recipe.seed)
    optimiser = _optimiser(p, recipe)
    curve, recent, started = [], [], time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        for step, ids in enumerate(_batches(recipe, stream, start_of_text), start=1):
            for group in optimiser.param_groups:
                group["lr"] = _rate(step, recipe)
            halves = list(pool.map(lambda part: _gradients(p, sizes, part), ids.chunk(THREADS)))
            for name, tensor in p.items():
                tensor.grad = sum((gradients[name] for _, gradients in halves), torch.zeros(())) / THREADS
            torch.nn.utils.clip_grad_norm_(p.values(), 1.0)
            optimiser.step()
            recent.append(sum(loss for loss, _ in halves) / THREADS)
            if step % 100 == 0 or step == recipe.steps:
                curve.append(Point(step, sum(recent) / len(recent), time.monotonic() - started))
                recent = []
                print(f"step {step}/{recipe.steps}  loss {curve[-1].loss:.4f}  {curve[-1].elapsed_s:.0f} s", flush=True)
    return p, curve


def _optimiser(p: Parameters, recipe: Recipe) -> torch.optim.AdamW:
    groups = [
        {"params": [tensor for tensor in p.values() if tensor.ndim == 2], "weight_decay": recipe.weight_decay},
        {"params": [tensor for tensor in p.values() if tensor.ndim == 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.peak_rate, betas=(0.9, 0.95), foreach=True)


def _rate(step: int, recipe: Recipe) -> float:
    """Linear warm-up, then a cosine down to a fiftieth of the peak."""
    if step <= recipe.warm_up_steps:
        return recipe.peak_rate * step / recipe.warm_up_steps
    done = (step - recipe.warm_up_steps) / (recipe.steps - recipe.warm_up_steps)
    return recipe.peak_rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))


def _batches(recipe: Recipe, stream: torch.Tensor, start_of_text: int) -> Iterator[torch.Tensor]:
    """Windows (windows, length + 1) of a share picked anew at each step."""
    generator = torch.Generator().manual_seed(recipe.seed)
    sources = [_windows(share, stream, start_of_text, generator) for share in recipe.shares]
    turns = [index for index, share in enumerate(recipe.shares) for _ in range(share.steps)]
    for turn in torch.randperm(len(turns), generator=generator).tolist():
        yield next(sources[turns[turn]])


def _windows(
    share: Share, stream: torch.Tensor, start_of_text: int, generator: torch.Generator
) -> Iterator[torch.Tensor]:
    """Batches without end: each pass cuts the stream at a new offset and takes the pieces in a new order."""
    waiting: list[int] = []
    while True:
        while len(waiting) < share.windows:
            offset = int(torch.randint(share.length_tokens, (), generator=generator))
            starts = torch.arange(offset, len(stream) - share.length_tokens - 1, share.length_tokens)
            waiting += starts[torch.randperm(len(starts), generator=generator)].tolist()
        taken, waiting = waiting[: share.windows], waiting[share.windows :]
        ids = torch.stack([stream[start : start + share.length_tokens + 1] for start in taken])
        ids[:, 0] = start_of_text
        yield ids


def _gradients(p: Parameters, sizes: Sizes, ids: torch.Tensor) -> tuple[float, Parameters]:
    """Mean loss over the windows (windows, length + 1), and its gradient by parameter."""
    torch.set_num_threads(1)  # torch keeps this per thread
    turn = network.rotation(sizes, ids.shape[1] - 1)
    with torch.autocast("cpu", torch.bfloat16):
        logits = network.logits(p, sizes, ids[:, :-1], turn)
    loss = F.cross_entropy(logits.float().flatten(0, 1), ids[:, 1:].flatten())
    return loss.item(), dict(zip(p, torch.autograd.grad(loss, list(p.values())), strict=True))
