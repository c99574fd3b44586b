"""From a footprint that was found to a row: its verdict, its speed, its place in the order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from memfit.device.boards import BOARDS
from memfit.device.records import Device
from memfit.engine.runtimes import ENGINES
from memfit.errors import MemfitError, UnknownName, UsageError
from memfit.fit import judge, rank
from memfit.fit.exact import Exact, options_of
from memfit.fit.formats import is_last_resort, quality_of
from memfit.fit.records import FitRow, QualityPrior, Wish
from memfit.fit.serving import serves
from memfit.fit.sizes import served
from memfit.fit.uses import Use
from memfit.precision.presets import PRESETS
from memfit.precision.schemes import SCHEMES
from memfit.speed.predict import Setting, predict_on, setting_of
from memfit.speed.records import Speed
from memfit.speed.touched import Profile

_PROMPT_TOKENS = 512
USUAL_ENGINES = ("llama_cpp",)
"""The easiest to set up, and the least of memory."""


@dataclass
class Search:
    """A wish on a device, and what is known of the engines there.

    Attributes:
        converted: a checkpoint's folder was sized as llama.cpp converts it.
        refused: why formats, engines and models are no answer, in the order they were looked at.
    """

    device: Device
    wish: Wish
    use: Use | None
    capability: str | None
    settings: dict[str, Setting]
    considered: int = 0
    converted: bool = False
    refused: list[MemfitError] = field(default_factory=list)

    @property
    def engines(self) -> tuple[str, ...]:
        """That may run a language model."""
        return self.wish.engines or USUAL_ENGINES

    @property
    def least_tokens_per_s(self) -> float:
        """What a row should reach to be put first."""
        return self.wish.least_tokens_per_s or (self.use.least_tokens_per_s if self.use else 0.0)

    def in_table(self, engine: str) -> bool:
        """Whether the table answers: a GPU that shares the memory, and the engine's default options."""
        usual = self.wish.kv_type in ("", served(engine).kv_type_k)
        return self.device.unified and bool(self.device.gpu) and self.wish.slots == 1 and usual


def setting_on(device: Device, wish: Wish, engine: str) -> Setting | None:
    """The engine on a board in the wished power mode; None where nobody published what it makes of such a chip.

    Raises:
        UnknownName: no such power mode.
    """
    if device.name not in BOARDS:
        return None
    on_cpu = ENGINES.get(engine).on_the_processor or not device.gpu
    try:
        return setting_of(BOARDS.get(device.name), engine, mode=wish.power_mode or None, on_cpu=on_cpu)
    except UsageError as unknown:
        if isinstance(unknown, UnknownName) and unknown.kind != "engine":
            raise  # no such power mode
        return None


def speed_at(device: Device, wish: Wish, setting: Setting, model: Profile, tokens: int) -> Speed:
    """The speed of a wish, half of ``tokens`` of context filled."""
    options = options_of(device, wish, setting.engine, tokens)
    return predict_on(
        setting,
        model,
        depth_tokens=tokens // 2,
        prompt_tokens=min(_PROMPT_TOKENS, max(tokens, 1)),
        sequences=wish.slots,
        kv_type_k=options.kv_type_k,
        kv_type_v=options.kv_type_v,
    )


def search_of(device: Device, wish: Wish, use: Use | None) -> Search:
    """What is known of the wish's engines on this device.

    Raises:
        UnknownName: no such power mode.
    """
    capability = device.gpu.split()[-1] if device.gpu and "." in device.gpu else None
    found = {engine: setting_on(device, wish, engine) for engine in wish.engines or USUAL_ENGINES}
    settings = {engine: setting for engine, setting in found.items() if setting is not None}
    return Search(device=device, wish=wish, use=use, capability=capability, settings=settings)


def row_of(
    name: str,
    search: Search,
    found: Exact,
    *,
    released: str | None,
    where: str = "catalog",
    task: str = "",
    native: bool = False,
    uses: Sequence[str] | None = None,
) -> FitRow:
    """The row of what was found, at the context that was asked for or at the largest below it that fits.

    ``uses`` is what the model is published for; None where that is asked of its shape.
    """
    verdict, reason = judge.judge(found.found, search.device.capacity_bytes)
    asked = search.wish.context_tokens
    if found.fitting_tokens and found.fitting_tokens < min(asked, found.trained_tokens):
        verdict, reason = judge.capped(found.fitting_tokens, asked)
    elif verdict != "no" and found.trained_tokens < asked and not task:
        verdict, reason = judge.untrained(found.trained_tokens, asked)
    elif verdict in ("comfortable", "tight") and not native and is_last_resort(found.format):
        verdict, reason = judge.last_resort(found.format)
    row = FitRow(
        model=name,
        where=where,
        task=task,
        parameters=found.parameters,
        parameters_active=found.parameters_active,
        format=found.format,
        as_stored=found.as_stored,
        engine=found.engine,
        context_tokens=found.fitting_tokens,
        at_tokens=found.tokens,
        context_trained_tokens=found.trained_tokens,
        verdict=verdict,
        reason=reason,
        weights_bytes=found.weights_bytes,
        likely_bytes=found.found.likely,
        high_bytes=found.found.high,
        required_bytes=found.found.required,
        headroom_bytes=search.device.capacity_bytes - found.found.required,
        quality=AS_PUBLISHED if native else _quality(found.format),
        score=rank.score(found.parameters, found.parameters_active, released, found.format, native=native),
    )
    if not _is_for(search.use, found, uses):
        assert search.use is not None
        return msgspec.structs.replace(row, verdict="no", reason=f"not published for {search.use.summary}")
    if verdict != "no" and not task:
        writes = found.profile.shape.kind != "embedding" if uses is None else "embedding" not in uses
        row = _with_speed(row, search, found.profile, found.tokens, writes=writes)
    return _judged(row, search.wish.least_tokens_per_s)


def _is_for(use: Use | None, found: Exact, uses: Sequence[str] | None) -> bool:
    if use is None:
        return True
    return serves(found.profile.shape, use) if uses is None else bool(set(use.needs) & set(uses))


def _judged(row: FitRow, least_tokens_per_s: float) -> FitRow:
    """The row held to the speed that was asked for; where none is known, it says that it was not."""
    if row.verdict == "no" or not least_tokens_per_s:
        return row
    speed = row.decode_tokens_per_s
    if speed is None:
        words = f"speed not known, not held to {least_tokens_per_s:g} tokens/s"
        return msgspec.structs.replace(row, reason=f"{row.reason}; {words}" if row.reason else words)
    if speed >= least_tokens_per_s:
        return row
    return msgspec.structs.replace(row, verdict="no", reason=f"{speed:.1f} tokens/s, below {least_tokens_per_s:g}")


AS_PUBLISHED = QualityPrior(kl_divergence=0.0, words="as published", source="the format its makers publish it in")


def _quality(format: str) -> QualityPrior:
    known = format in PRESETS or format in SCHEMES
    return quality_of(format) if known else QualityPrior(kl_divergence=None, words="unknown", source="")


def _with_speed(row: FitRow, search: Search, model: Profile, tokens: int, *, writes: bool) -> FitRow:
    setting = search.settings.get(row.engine)
    if setting is None:
        return row
    slots = search.wish.slots
    speed = speed_at(search.device, search.wish, setting, model, tokens)
    row = msgspec.structs.replace(
        row, prefill_tokens_per_s=None if speed.prefill is None else round(speed.prefill.likely)
    )
    if not writes:  # it reads texts alone
        return row
    likely, low, high = (round(one / slots, 1) for one in (speed.decode.likely, speed.decode.low, speed.decode.high))
    return msgspec.structs.replace(
        row, decode_tokens_per_s=likely, decode_low_tokens_per_s=low, decode_high_tokens_per_s=high
    )
