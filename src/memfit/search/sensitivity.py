"""What each format is predicted to cost on each tensor.

KL(t, f) = probe(t) * (error(t, f) + noise(t, f)) / error(t, probe format): what one low-bit probe of a tensor did to
the predictions, scaled by how far a format is from the weights, weighted by importance, and by what the kernels take
from the activations that meet it, which no probe of weights shows. The divergence of small changes is quadratic in
them, so it follows the squared error of *one* tensor nearly linearly; across tensors that error says next to nothing,
which is why each is probed. Of a large model only the tables of tokens are: what the others' probes would show is told
by gradients (``bench_foresight``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from memfit.engine.workbench import Workbench
from memfit.model.shape import Tensor
from memfit.precision.formats import FORMATS
from memfit.search.base import Base
from memfit.search.notes import Notes
from memfit.search.solve import Option

# by what is left where rows do not divide into the blocks of the one before: low enough to be seen, high enough to be
# still in the range where divergence follows the error
PROBES = ("Q3_K", "Q4_0")
# what the search may give: ternary formats, one-bit ones and those that hardware of tomorrow reads are left to whoever
# asks for them by name
FORMATS_SEARCHED = (
    "IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_XS", "IQ4_NL",
    "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "Q4_0", "Q5_0", "Q5_1", "Q8_0", "F16",
)  # fmt: skip
_MOST_ROWS = 64  # of each matrix, to tell the error of a format
_MOST_FORESEEN_ROWS = 256  # of each matrix, to tell what a probe would show
# parameters, beyond which matrices are not probed where gradients are known. A probe of each is as many passes over the
# model as it has tensors: for 7B, some two days of two cores
MOST_PROBED = 1_500_000_000
Said = Callable[[str, int, int], None]


def candidates(tensor: Tensor, formats: Iterable[str], important: frozenset[str]) -> list[str]:
    """Formats that the tensor's rows divide into and that can be made here: no fallback is ever asked for."""
    own = FORMATS.get(tensor.format)
    found = []
    for name in formats:
        format = FORMATS.get(name)
        if tensor.dims[0] % format.block_elements or format.bits >= own.bits:
            continue
        if format.needs_imatrix and tensor.name not in important:
            continue
        found.append(format.name)
    return found


def probe_format(tensor: Tensor) -> str | None:
    """The format that a tensor is probed with, None where none divides its rows."""
    return next((name for name in PROBES if candidates(tensor, [name], frozenset())), None)


class Sensitivity:
    """Probes and errors of every tensor, kept as they come.

    Args:
        base: whose tensors.
        notes: where they are kept.
        formats: that may be given.
    """

    def __init__(self, base: Base, notes: Notes, formats: Sequence[str]) -> None:
        self._base = base
        self._notes = notes
        self._formats = tuple(formats)

    def learn(self, bench: Workbench, windows: Sequence[int], *, first: int, against: str, said: Said) -> None:
        """Probe, or foresee, every tensor that was not yet, and measure every format on it."""
        self._probe(bench, windows, first, against, said)
        self._measure_errors(bench, said)

    def options(self, tensor: Tensor, important: frozenset[str]) -> list[Option]:
        """What the tensor may become, its own format among it, with predicted divergence."""
        found = [Option(format=tensor.format, bytes=self._padded(tensor, tensor.format), divergence=0.0)]
        for name in candidates(tensor, self._formats, important):
            divergence = self.predict(tensor, name)
            if divergence is not None:
                found.append(Option(format=name, bytes=self._padded(tensor, name), divergence=divergence))
        return found

    def predict(self, tensor: Tensor, format: str, *, plain: bool = False) -> float | None:
        """Nats a token that a format on this tensor is predicted to cost; None where it was not measured.

        ``plain``: rounded as llama-quantize does it, with no error fed back.
        """
        if format == tensor.format or FORMATS.get(format).bits >= FORMATS.get(tensor.format).bits:
            return 0.0
        probe = probe_format(tensor)
        errors = self._errors(tensor)
        if probe is None or format not in errors or probe not in errors:
            return None
        probed = self.probed(tensor)
        if probed is None:
            return None
        whole = errors[probe][0]  # probes are made with errors fed back along rows, and not from row to row
        fed, unfed, noise = errors[format]
        left: float = self._notes.get(f"left {tensor.name}")
        found = max(probed, 0.0) * ((unfed if plain else fed * left) + noise) / whole if whole else 0.0
        return found if math.isfinite(found) else None  # numbers may lie beyond what a format's scales reach

    def probed(self, tensor: Tensor) -> float | None:
        """The divergence that was measured with this tensor alone in its probe's format; None where it is no number."""
        value: float | None = self._notes.get(f"probe {tensor.name}")
        return value if value is not None and math.isfinite(value) else None

    def is_foreseen(self, tensor: Tensor) -> bool:
        """Whether that divergence was computed from gradients and not measured."""
        return f"foreseen {tensor.name}" in self._notes

    def _errors(self, tensor: Tensor) -> Mapping[str, tuple[float, float, float]]:
        found: Mapping[str, tuple[float, float, float]] = self._notes.get(f"errors {tensor.name}") or {}
        return found

    def _padded(self, tensor: Tensor, format: str) -> int:
        size = FORMATS.get(format).tensor_bytes(tensor.dims)
        return size + self._base.padding(size)

    def _probe(self, bench: Workbench, windows: Sequence[int], first: int, against: str, said: Said) -> None:
        wanted = [one for one in self._base.changeable if probe_format(one) and f"probe {one.name}" not in self._notes]
        if self._base.shape.parameters > MOST_PROBED:
            wanted = self._foresee(bench, wanted, said)
        done = len(self._base.changeable) - len(wanted)
        for format in PROBES:
            tensors = [one for one in wanted if probe_format(one) == format]
            for name, divergence in bench.probe(tensors, format, windows, first=first, against=against):
                self._notes.learn(f"probe {name}", divergence)
                done += 1
                said("probing", done, len(self._base.changeable))

    def _foresee(self, bench: Workbench, wanted: Sequence[Tensor], said: Said) -> list[Tensor]:
        """Learn what gradients tell of probes; those that remain are to be probed."""
        for format in PROBES:
            tensors = [one for one in wanted if probe_format(one) == format]
            found = bench.foresee(tensors, format, most_rows=_MOST_FORESEEN_ROWS)
            for done, (name, divergence) in enumerate(found, 1):
                if divergence is not None:
                    self._notes.learn(f"foreseen {name}", True)
                    self._notes.learn(f"probe {name}", divergence)
                said("foreseeing", done, len(tensors))
        return [one for one in wanted if f"probe {one.name}" not in self._notes]

    def _measure_errors(self, bench: Workbench, said: Said) -> None:
        groups: dict[tuple[str, ...], list[Tensor]] = {}
        for tensor in self._base.changeable:
            probe = probe_format(tensor)
            if probe is None:
                continue
            names = candidates(tensor, {probe: 0, **dict.fromkeys(self._formats)}, bench.important)
            if not set(names) <= set(self._errors(tensor)):  # another search may have wanted other formats
                groups.setdefault(tuple(names), []).append(tensor)
        total = sum(map(len, groups.values()))
        done = 0
        for formats, tensors in groups.items():
            for name, left, errors in bench.errors(tensors, formats, most_rows=_MOST_ROWS):
                known: dict[str, object] = self._notes.get(f"errors {name}") or {}
                self._notes.learn(f"left {name}", left)
                self._notes.learn(f"errors {name}", known | dict(zip(formats, errors, strict=True)))
                done += 1
                said("measuring formats", done, total)
