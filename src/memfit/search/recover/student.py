"""The weights that are trained, and what ggml makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from memfit.engine.predictions import Place
from memfit.model.new_file import new_file
from memfit.search.recover.network import Weights
from memfit.search.recover.quantizer import Quantizer

# steps between two questions to ggml about a tensor; they take turns, so that every step asks about as many. Scales
# that are older cost nothing that can be measured (the shipped model, 300,000 tokens, every 16 or 64 steps: 19.1 and
# 19.4 % won). Numbers from codebooks change only then
REFRESH_STEPS, _CODEBOOK_STEPS = 64, 16
Spread = Callable[[Callable[[int], Any], Sequence[int]], Iterable[Any]]
_FIXED = "rope_freqs.weight"  # a table of the architecture, and no weight


class Student:
    """Starts as the teacher.

    Args:
        teacher: weights, which are copied.
        quantizers: of the tensors that a file will hold in another format than float32.
    """

    def __init__(self, teacher: Weights, quantizers: Mapping[str, Quantizer]) -> None:
        self._quantizers = quantizers
        self.weights = {name: weight.clone() for name, weight in teacher.items()}
        self.trained = tuple(name for name in teacher if name != _FIXED)
        self._stored: dict[str, Any] = {}
        self._errors: dict[str, float] | None = None

    def begin(self, rounded: Weights) -> None:
        """Start from how a file was rounded, where each number was rounded with an eye on the others.

        Args:
            rounded: what it holds, by name.
        """
        self._errors = self.errors()
        for name, quantizer in self._quantizers.items():
            self.weights[name] = quantizer.towards(self.weights[name], rounded[name])

    def exact(self) -> Weights:
        """What a file would hold now: ggml is asked about every tensor."""
        for name, quantizer in self._quantizers.items():
            self._stored[name] = quantizer.refresh(self.weights[name])
        return {**self.weights, **self._stored}

    def errors(self) -> dict[str, float]:
        """How far ggml moves each tensor that has a format, root mean squares as a share of its numbers' own.

        Of the teacher's, wherever training began: numbers that lie near to how they are rounded are moved less, and
        that says nothing of how coarse their format is.
        """
        if self._errors is not None:
            return self._errors
        found = {}
        stored = self.exact()
        for name in self._quantizers:
            weight = self.weights[name]
            size = float(weight.square().mean().sqrt())
            found[name] = float((stored[name] - weight).square().mean().sqrt()) / size if size else 0.0
        return found

    def near(self, step: int, spread: Spread = map) -> Weights:
        """The same with scales that are a few steps old; some tensors are asked about anew.

        Args:
            step: of the training.
            spread: what maps over tensors, by several threads where there are some.
        """

        def work(turn: int) -> Any:
            name = names[turn]
            quantizer, weight = self._quantizers[name], self.weights[name]
            due = (turn + step) % (REFRESH_STEPS if quantizer.has_grid else _CODEBOOK_STEPS) == 0
            return quantizer.refresh(weight) if due or name not in self._stored else quantizer.near(weight)

        names = list(self._quantizers)
        for name, found in zip(names, spread(work, range(len(names))), strict=True):
            if found is not None:
                self._stored[name] = found
        return {**self.weights, **self._stored}

    def write(self, path: Path) -> str:
        """The trained numbers as float32, one tensor behind another; returns the file's SHA-256."""
        size = sum(4 * self.weights[name].numel() for name in self.trained)
        with new_file(path, size, overwrite=True) as file:
            for name in self.trained:
                file.write(memoryview(self.weights[name].detach().cpu().contiguous().numpy()).cast("B"))
            return file.keep()

    def places(self, path: Path) -> dict[str, Place]:
        """Where each tensor lies in a file that ``write`` made."""
        found = {}
        offset = 0
        for name in self.trained:
            found[name] = Place(path=str(path), offset=offset, format="F32")
            offset += 4 * self.weights[name].numel()
        return found
