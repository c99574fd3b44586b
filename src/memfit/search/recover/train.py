"""The loop: small steps down the divergence until time or tokens are used up, the best of them kept."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from memfit.search.recover.distil import Distiller
from memfit.search.recover.records import Recovery
from memfit.search.recover.state import interruptions, keep, take
from memfit.search.recover.student import Student

Said = Callable[[str, int, int], None]

_WARM_UP = 0.05  # of the way
_LEAST_RATE = 0.02  # of the highest, at the end
_MOST_NORM = 1.0  # of a gradient, in nats: beyond it is shortened
_CHECKS = (0.5, 0.7, 0.85, 0.95)  # of the way, and at its ends
_LEAST_ERROR = 0.25  # of the mean over tensors: those that lose next to nothing may make up for others
_KEPT_EVERY_S = 60.0
_SAID_PARTS = 1000


class Training:
    """What is known of a training under way.

    Attributes:
        step, seconds: done so far, in all parts.
        before, best: divergence on the windows that are not trained on, at first and at its best.
        sha256: of the file of the best weights; None where the first were.
        ended: whether the last check was made.
        resumed: how often it went on.
    """

    def __init__(
        self,
        student: Student,
        distiller: Distiller,
        windows: torch.Tensor,
        checked: torch.Tensor,
        asked: Recovery,
        folder: Path,
    ) -> None:
        """Args:
        student, distiller: what is trained, and how.
        windows, checked: ids to train on and to check on, (windows, tokens).
        asked: see there.
        folder: where the state and the best weights are kept.
        """
        self._student, self._distiller = student, distiller
        self._windows, self._checked, self._asked = windows, checked, asked
        self._folder, self._state = folder, folder / "state"
        self._best_step = 0
        self._optimiser = _optimiser(student, asked.rate)
        self.step = self.resumed = 0
        self.seconds = 0.0
        self.before = self.best = math.nan
        self.sha256: str | None = None
        self.ended = False
        self._checks_done = 0
        self._began = time.monotonic()
        self._order: tuple[int, list[int]] = (-1, [])
        self._resume()

    @property
    def place(self) -> Path:
        """The file of the best weights: of a name of its own, so that none replaces what a state speaks of."""
        return self._place(self._best_step)

    def _place(self, step: int) -> Path:
        return self._folder / f"best-{step}.f32"

    @property
    def tokens(self) -> int:
        """Trained on so far, repeats counted."""
        return self.step * self._asked.windows * int(self._windows.shape[1])

    @property
    def way(self) -> float:
        """How much is done of what ends it, time or tokens, from 0 to 1."""
        shares = [0.0]
        if self._asked.minutes is not None:
            shares.append(self._spent() / (60 * self._asked.minutes))
        if self._asked.tokens is not None:
            shares.append(self.tokens / self._asked.tokens)
        return min(1.0, max(shares))

    def run(self, said: Said) -> None:
        """Train to the end.

        Raises:
            KeyboardInterrupt: at Ctrl-C, with everything kept.
            MemfitError: state cannot be kept.
        """
        if self.ended:
            return
        kept = self._began = time.monotonic()
        with interruptions() as interrupted:
            if math.isnan(self.before):
                self.before = self.best = self._distiller.divergence(self._student.exact(), self._checked)
            while (way := self.way) < 1:
                said("recovering", round(way * _SAID_PARTS), _SAID_PARTS)
                self._step(way)
                if self._checks_done < len(_CHECKS) and self.way >= _CHECKS[self._checks_done]:
                    self._checks_done += 1
                    self._check()
                if interrupted() or time.monotonic() - kept > _KEPT_EVERY_S:
                    self._keep()
                    kept = time.monotonic()
                if interrupted():
                    raise KeyboardInterrupt
            self._check()
            self.ended = True
            self._keep()
        said("recovering", _SAID_PARTS, _SAID_PARTS)

    def _step(self, way: float) -> None:
        student = self._student
        stored = student.near(self.step, self._distiller.spread)
        _, gradients = self._distiller.gradients(stored, student.trained, self._batch())
        for group, name in zip(self._optimiser.param_groups, student.trained, strict=True):
            group["lr"] = group["scale"] * _rate(way)
            student.weights[name].grad = gradients.get(name)
        norm = torch.nn.utils.clip_grad_norm_([student.weights[name] for name in student.trained], _MOST_NORM)
        if torch.isfinite(norm):  # else the step would make numbers of none out of all that are good
            self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        self.step += 1

    def _batch(self) -> torch.Tensor:
        """The next windows: each pass over the text has an order of its own, and a seed and a step tell which."""
        count, size = len(self._windows), self._asked.windows
        chosen = []
        for place in range(self.step * size, (self.step + 1) * size):
            if self._order[0] != place // count:
                self._order = place // count, _order(count, self._asked.seed, place // count)
            chosen.append(self._order[1][place % count])
        return self._windows[chosen]

    def _check(self) -> None:
        found = self._distiller.divergence(self._student.exact(), self._checked)
        if not found < self.best:
            return
        self._best_step, self.best = self.step, found
        self.sha256 = self._student.write(self.place)
        self._keep()
        self._sweep()

    def _sweep(self) -> None:
        """Remove files of weights that no state speaks of any more."""
        for path in self._folder.glob("best-*.f32"):
            if path != self.place:
                path.unlink(missing_ok=True)

    def _spent(self) -> float:
        return self.seconds + time.monotonic() - self._began

    def _keep(self) -> None:
        self.seconds, self._began = self._spent(), time.monotonic()
        keep(self._state, {**{name: getattr(self, name) for name in _KEPT}, **self._tensors()})

    def _tensors(self) -> dict[str, Any]:
        return {"weights": self._student.weights, "optimiser": self._optimiser.state_dict()["state"]}

    def _resume(self) -> None:
        known = take(self._state, self._windows.device)
        if known is None or not known.keys() >= {*_KEPT, "weights", "optimiser"}:
            return
        if known["sha256"] is not None and not self._place(known["_best_step"]).exists():
            return
        for name in _KEPT:
            setattr(self, name, known[name])
        for name, weight in known["weights"].items():
            self._student.weights[name].data.copy_(weight)
        groups = self._optimiser.state_dict()["param_groups"]
        self._optimiser.load_state_dict({"state": known["optimiser"], "param_groups": groups})
        self._student.exact()  # what ggml makes of these weights, and no longer of those of the beginning
        self.resumed += not self.ended
        self._sweep()


_KEPT = ("step", "seconds", "before", "best", "sha256", "ended", "resumed", "_checks_done", "_best_step")


def _order(count: int, seed: int, passed: int) -> list[int]:
    generator = torch.Generator().manual_seed(seed * 1_000_003 + passed)
    found: list[int] = torch.randperm(count, generator=generator).tolist()
    return found


def _optimiser(student: Student, rate: float) -> torch.optim.AdamW:
    """AdamW without decay, which would pull away from the teacher.

    A tensor's steps are a share of what its format does to it: finer formats need finer steps, or the noise of
    gradients moves weights further than quantization did.
    """
    off = student.errors()
    mean = sum(off.values()) / len(off) if off else 0.0
    groups = []
    for name in student.trained:
        weight = student.weights[name]
        share = max(off.get(name, mean), _LEAST_ERROR * mean)
        groups.append({"params": [weight], "scale": rate * share * float(weight.square().mean().sqrt())})
    return torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.99), weight_decay=0.0, fused=True)


def _rate(way: float) -> float:
    """Of the highest: a linear warm-up, then a cosine (Loshchilov and Hutter, arXiv 1608.03983)."""
    warm = min(1.0, (way + 0.1 * _WARM_UP) / _WARM_UP)
    return warm * (_LEAST_RATE + (1 - _LEAST_RATE) * 0.5 * (1 + math.cos(math.pi * way)))
