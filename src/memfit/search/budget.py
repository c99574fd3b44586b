"""What a device leaves for the file of a model: its memory, less everything else that the deployment takes."""

from __future__ import annotations

import msgspec

from memfit.device import find_device
from memfit.engine.records import Options
from memfit.engine.runtimes import ENGINES
from memfit.errors import UsageError
from memfit.footprint.estimate import estimate
from memfit.footprint.records import Footprint
from memfit.search.base import Base

_SIZED_AS = "Q4_K_M"  # any preset will do to tell what is not weights


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


def most_bytes(base: Base, place: Destination, kv: tuple[str, str]) -> int:
    """Bytes that the file may take so that all of the deployment stays in memory, with the cache in these formats.

    Raises:
        UsageError: nothing is left for weights at all.
        MemfitError: the device or the model cannot be sized.
    """
    found = _footprint(base.path, place, kv, format=_SIZED_AS)
    weights = found.model.weights_bytes
    budget = weights + found.headroom_bytes + (base.file_bytes({}) - base.shape.weights_bytes)
    if budget <= 0:
        raise UsageError(
            f"a context of {place.context_tokens} tokens alone takes more than {found.device.name} has",
            hint="give a smaller --context, or --kv q8_0",
        )
    return budget


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
