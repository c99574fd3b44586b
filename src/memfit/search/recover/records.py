"""What is asked of a recovery, and what came of it, as records."""

from __future__ import annotations

from typing import Literal

import msgspec

from memfit.engine.predictions import Place
from memfit.search.records import Recovered


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked.

    Attributes:
        minutes: that training may take, in all of its parts where it was interrupted; None: until ``tokens`` are done.
        tokens: to train on, repeats counted; None: as many as ``minutes`` allow.
        rate: the highest step of the optimiser, as a share of what quantization does to a tensor (root mean
            squares of both).
        seed: of the order of the windows.
        windows: of text in each step.
        device: ``auto`` takes CUDA where there is any.
    """

    minutes: float | None = 5.0
    tokens: int | None = None
    rate: float = 0.01
    seed: int = 0
    windows: int = 2
    device: Literal["auto", "cpu", "cuda"] = "auto"


class Trained(msgspec.Struct, frozen=True, kw_only=True):
    """A recovery's record, and where the new numbers of each weight lie: what ``write`` takes as ``replaced``."""

    record: Recovered
    replaced: dict[str, Place]
