"""One deployment decided twice: by formula, and by the engine's own reservation."""

from __future__ import annotations

import time

import msgspec

from memfit.device import Device, find_device
from memfit.engine._llama_cpp.oracle import Described, reserve_one
from memfit.engine.records import Asked, Deployment, Options
from memfit.errors import EngineFailed, MemfitError, UsageError
from memfit.footprint import Footprint
from memfit.footprint.estimate import estimate_deployment
from memfit.model import find_model
from memfit.model.cards import CARDS
from soaking.draw import Drawn

RULES = 2


class Decision(msgspec.Struct, frozen=True, kw_only=True, tag="decision"):
    """What memfit says, and what it says when it has asked the engine.

    Attributes:
        said, oracle: ``fits``, ``tight``, ``no``, or ``refused``: the engine does not start with such options.
        required_bytes, oracle_required_bytes: what must stay in memory, 0 where refused.
        kept_bytes: what cannot be dropped, by formula.
        weights_bytes: of the file, to know what a run would cost.
        why: of a refusal.
        seconds: that both took.
        rules: of the room for what no term names: 1, 1 % of what cannot be dropped; 2, the library's 0.5 %.
    """

    drawn: Drawn
    said: str
    oracle: str
    required_bytes: int = 0
    oracle_required_bytes: int = 0
    kept_bytes: int = 0
    weights_bytes: int = 0
    why: str = ""
    seconds: float = 0.0
    rules: int = 1

    @property
    def agree(self) -> bool:
        """Whether both say the same."""
        return self.said == self.oracle


def deployment_of(drawn: Drawn, path: str | None = None) -> Deployment:
    """By the name of the card, or of a file that was made of it."""
    if path is not None:
        return Deployment(model=path, options=drawn.options)
    return Deployment(model=CARDS.get(drawn.card).name, format=drawn.format, options=drawn.options)


def this_machine(instructions: tuple[str, ...]) -> Device:
    """This machine now, with what its engine was built for: that may be less than the processor offers."""
    return msgspec.structs.replace(find_device(), instructions=instructions)


def engine_instructions() -> tuple[str, ...]:
    """What the installed engine uses of the processor, as it says itself; needs memfit[llama]."""
    shape = find_model(CARDS.get("smollm2_135m").name)
    tensors = [(tensor.name, tensor.dims, tensor.format) for tensor in shape.tensors]
    model = Described(metadata=CARDS.get("smollm2_135m").header(), tensors=tensors)
    return reserve_one(model, Options(context_tokens=512))[0].instructions


def decide(drawn: Drawn, here: Device) -> Decision:
    """Ask both; ``here`` is from ``this_machine``."""
    device = msgspec.structs.replace(here, name="limit", capacity_bytes=drawn.limit_bytes, grade="stated")
    began = time.monotonic()
    said, why = _ask(drawn, device, "formula")
    oracle, _ = _ask(drawn, device, "engine")
    return Decision(
        drawn=drawn,
        said=said.verdict if said else "refused",
        oracle=oracle.verdict if oracle else "refused",
        required_bytes=said.required_bytes if said else 0,
        oracle_required_bytes=oracle.required_bytes if oracle else 0,
        kept_bytes=said.high_bytes - said.evictable_bytes if said else 0,
        weights_bytes=said.model.weights_bytes if said else 0,
        why=why,
        seconds=round(time.monotonic() - began, 3),
        rules=RULES,
    )


def _ask(drawn: Drawn, device: Device, source: Asked) -> tuple[Footprint | None, str]:
    try:
        footprint = estimate_deployment(
            deployment_of(drawn), device=device, source=source, relief=False, calibration=None
        )
    except (UsageError, EngineFailed) as refusal:
        return None, refusal.message
    except MemfitError as failure:
        raise RuntimeError(f"{drawn}: {failure.message}") from failure
    return footprint, ""
