"""What is asked of a recovery, and what came of it, as records."""

from __future__ import annotations

from typing import Literal

import msgspec

from memfit.engine.workbench import Place


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
    rate: float = 0.004
    seed: int = 0
    windows: int = 2
    device: Literal["auto", "cpu", "cuda"] = "auto"


class Recovered(msgspec.Struct, frozen=True, kw_only=True):
    """What distillation changed; losses are KL(base || model) in nats a token, on text that was not trained on.

    Attributes:
        loss_before: of the base's own weights in the formats; ``loss_after`` of the trained ones. The two are equal
            where training found nothing better, and then the weights are the base's.
        checked_tokens: that the losses are of, of the same text.
        tokens, steps: that were trained on, repeats counted.
        text_tokens: different ones among them.
        seconds: of training, over all of its parts.
        seed, rate: as asked.
        device: that it ran on.
        text_sha256: of the tokens of training and checks.
        weights_sha256: of the trained numbers.
        resumed: how often it went on from what an interruption left.
    """

    loss_before: float
    loss_after: float
    checked_tokens: int
    tokens: int
    steps: int
    text_tokens: int
    seconds: float
    seed: int
    rate: float
    device: str
    text_sha256: str
    weights_sha256: str | None = None
    resumed: int = 0


class Trained(msgspec.Struct, frozen=True, kw_only=True):
    """A recovery's record, and where the new numbers of each weight lie: what ``write`` takes as ``replaced``."""

    record: Recovered
    replaced: dict[str, Place]
