"""A session that answers at once: figures follow from the bits of formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from small_search import MODEL

from memfit.engine.predictions import Speed
from memfit.model.shape import Tensor
from memfit.precision.formats import FORMATS
from memfit.search.base import Base
from memfit.search.choose import Search
from memfit.search.records import Quality
from memfit.search.sensitivity import FORMATS_SEARCHED
from memfit.search.setting import Measured
from memfit.search.solve import Option

OFFERED = tuple(name for name in FORMATS_SEARCHED if name != "F16")
BASE = Base(str(MODEL))


def lost(tensor: Tensor, format: str) -> float:
    """Nats a token: four times less for each bit."""
    return 0.0 if format == tensor.format else 0.5 * 4.0 ** -FORMATS.get(format).bits


class ByBits:
    """A sensitivity that knows some formats; presets are predicted ``share`` of what bits say."""

    def __init__(self, offered: tuple[str, ...] = OFFERED, share: float = 1.0) -> None:
        self._offered, self._share = offered, share

    def options(self, tensor: Tensor, _important: frozenset[str]) -> list[Option]:
        return [
            Option(format=name, bytes=Base.tensor_bytes(tensor, name), divergence=lost(tensor, name))
            for name in (tensor.format, *self._offered)
        ]

    def predict(self, tensor: Tensor, format: str, *, plain: bool = False) -> float | None:
        known = format in (tensor.format, *self._offered)
        return lost(tensor, format) * (self._share if plain else 1.0) if known else None


class StubSession:
    """Counts what it measures, in bytes and in how it was made.

    Args:
        speed: of a file of so many bytes.
        plainly: the divergence of a preset, from that by bits and its bytes.
    """

    def __init__(
        self,
        speed: Callable[[int], Speed] | None = None,
        plainly: Callable[[float, int], float] = lambda kl, _bytes: kl,
    ) -> None:
        self.base = BASE
        self.bench = SimpleNamespace(important=frozenset(one.name for one in BASE.changeable))
        self._speed, self._plainly = speed, plainly
        self.measured: list[tuple[int, bool]] = []

    def measure(self, formats: Mapping[str, str], *, unseen: bool, full: bool = False, plain: bool = False) -> Measured:
        size = BASE.file_bytes({one.name: formats.get(one.name, one.format) for one in BASE.changeable})
        kl = sum(lost(one, formats.get(one.name, one.format)) for one in BASE.changeable)
        if plain:
            kl = self._plainly(kl, size)
        if unseen:
            self.measured.append((size, plain))
        quality = Quality(kl_mean=kl, kl_ci95=(kl, kl), perplexity=2.0, perplexity_ci95=(2.0, 2.0), tokens=10)
        return Measured(quality=quality, speed=self._speed(size) if full and self._speed else None)


def search_in(session: StubSession, offered: tuple[str, ...] = OFFERED, share: float = 1.0) -> Search:
    """A search there."""
    given: Any = session
    known: Any = ByBits(offered, share)
    return Search(given, known)
