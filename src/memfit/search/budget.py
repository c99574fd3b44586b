"""What a device leaves for the file of a model: its memory, less everything else that the deployment takes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from memfit.device import find_device
from memfit.engine.records import Options
from memfit.engine.runtimes import ENGINES
from memfit.footprint.estimate import estimate
from memfit.footprint.records import Footprint
from memfit.search.base import Base

_SIZED_AS = "Q4_K_M"  # any preset will do to tell what is not weights
_ROUNDS = 4


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where the result has to fit.

    Attributes:
        device: as ``memfit.device.find_device`` takes it.
        context_tokens: of the deployment; 0 the trained one.
        slots: served at once.
    """

    device: str
    context_tokens: int = 4096
    slots: int = 1


def room(base: Base, place: Destination, kv: tuple[str, str]) -> int:
    """Bytes that the file may take so that all of the deployment stays in memory, with the cache in these formats.

    Below zero where the rest alone takes so much more than the device has.

    Raises:
        MemfitError: the device or the model cannot be sized.
    """
    found = _footprint(base.path, place, kv, format=_SIZED_AS)
    return found.model.weights_bytes + found.headroom_bytes + (base.file_bytes({}) - base.shape.weights_bytes)


def headroom(base: Base, place: Destination, kv: tuple[str, str], formats: Mapping[str, str]) -> int:
    """What a file with these formats leaves of the device; below zero where it does not fit.

    Not all of a deployment is told by the bytes of the file: a tied embedding lies in memory twice beside a GPU, and
    kernels of a processor may hold copies of some formats.

    Raises:
        MemfitError: the device or the model cannot be sized.
    """
    with tempfile.TemporaryDirectory(prefix="memfit-") as folder:
        path = Path(folder) / "hollow.gguf"
        with path.open("wb") as file:
            file.write(base.new_header(formats))
            file.truncate(base.file_bytes(formats))
        return _footprint(str(path), place, kv).headroom_bytes


def within_device(
    base: Base,
    place: Destination,
    kv: tuple[str, str],
    most: int,
    formats_within: Callable[[int], Mapping[str, str] | None],
) -> int:
    """The largest budget that was found, ``most`` at most, whose best formats fit; 0 where none was.

    ``formats_within``: the best formats in so many bytes, None for none.
    """
    fitting, budget = 0, most
    for _ in range(_ROUNDS):
        formats = formats_within(budget)
        if formats is None:
            break
        left = headroom(base, place, kv, formats)
        if left >= 0:
            fitting = max(fitting, budget)
        budget = min(most, base.file_bytes(formats) + left)
        if budget <= fitting:
            break
    return fitting


def _footprint(path: str, place: Destination, kv: tuple[str, str], *, format: str | None = None) -> Footprint:
    device = find_device(place.device)
    on_gpu = bool(device.gpu) and not ENGINES.get("llama_cpp").on_the_processor
    options = Options(
        context_tokens=place.context_tokens,
        slots=place.slots,
        kv_type_k=kv[0],
        kv_type_v=kv[1],
        backend="cuda" if on_gpu else "cpu",
    )
    return estimate(path, device=device, options=options, source="formula", format=format, relief=False)
