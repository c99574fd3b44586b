"""What a product needs of its device, and what a knob would do there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from memfit.device.audit_records import When

Need = Literal["display", "camera", "audio", "bluetooth", "printing", "usb-network", "updates", "docker"]
"""What the product uses, so that nothing that serves it is taken away."""
NEEDS: tuple[Need, ...] = get_args(Need)

Risk = Literal["none", "low", "high"]
"""``high`` is done only where somebody asks for it by name and says so."""


PAGE_BYTES = 4096
"""Of memory, on every machine that memfit knows."""

Words = Mapping[str, str | None]
"""Words of the kernel's command line by name: ``{"swiotlb": "2048"}``; None takes the word away."""


Lines = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Lines of drop-ins by unit, and there by what they set: ``{"llama.service": {"OOMPolicy": ("OOMPolicy=stop",)}}``."""


class Compressed(msgspec.Struct, frozen=True, kw_only=True):
    """Weights as zram would hold them, packed page by page on the machine that has them.

    Attributes:
        algorithm: as the kernel calls it.
        pages: of 4 KiB, spread evenly over the file. stored_bytes: what they would take there.
        file: which. file_bytes: all of its weights.
    """

    algorithm: str
    pages: int
    stored_bytes: int
    file: str
    file_bytes: int = 0

    @property
    def ratio(self) -> float:
        """What they are to what they would take."""
        return self.pages * PAGE_BYTES / max(1, self.stored_bytes)


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks of a knob besides its name.

    Attributes:
        value: as written behind ``NAME=``; empty where nothing is.
        weights: a model's, as every algorithm packs them that could be tried.
    """

    value: str = ""
    weights: tuple[Compressed, ...] = ()


class Gain(msgspec.Struct, frozen=True, kw_only=True):
    """What a knob gives back on this device: MemAvailable after it less MemAvailable before it.

    Attributes:
        low_bytes, likely_bytes, high_bytes: a range, from this device's own figures.
        cuda_bytes: what CUDA can allocate more after it; None where that is the same.
        evidence: the figures it rests on.
    """

    low_bytes: int = 0
    likely_bytes: int = 0
    high_bytes: int = 0
    cuda_bytes: int | None = None
    evidence: str = ""


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What a knob says of one device.

    Attributes:
        applies: whether there is something to change that nobody needs.
        reason: why not, in words; empty where it applies.
        when: the changes take effect at once, or after the next boot.
        cost: what is given up.
        risk: of taking it, with the reason in ``cost``.
        saves: it gives memory back; what does not (speed, order, a bound on what may be taken later) is done only where
            somebody asks for it by name.
    """

    applies: bool
    reason: str = ""
    gain: Gain = Gain()
    when: When = "live"
    cost: str = ""
    risk: Risk = "none"
    saves: bool = True


class Bolder(msgspec.Struct, frozen=True, kw_only=True):
    """A second value of a knob, its risk ``high``: done only where somebody asks for it.

    Attributes:
        gain: what it gives, the first value's included.
        cost: what may break.
    """

    words: Words
    gain: Gain
    cost: str


NOTHING = Effect(applies=False)


def not_here(reason: str) -> Effect:
    """There is nothing to change."""
    return Effect(applies=False, reason=reason)
