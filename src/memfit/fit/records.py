"""What can run on a device: one row a model, with its format, its memory, its speed, and why not."""

from __future__ import annotations

from typing import Literal

import msgspec

from memfit.device.records import Device

FitVerdict = Literal["comfortable", "tight", "barely", "no"]


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a model is looked for.

    Attributes:
        use: key of ``fit.uses``, empty for every model.
        context_tokens: that a request must be able to hold.
        slots: requests served at once.
        least_tokens_per_s: a request must be answered with at least so many, 0 for any.
        engines: that may run it; keys of ``engine.runtimes``. None: llama.cpp, for speech
            what usually runs a model.
        formats: that its weights may have; empty for every one that the engines take.
        power_mode: of the board, empty for its highest.
        kv_type: format of the KV cache, empty for what each engine takes where nothing is said.
    """

    use: str = ""
    context_tokens: int = 4096
    slots: int = 1
    least_tokens_per_s: float = 0.0
    engines: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    power_mode: str = ""
    kv_type: str = ""


class QualityPrior(msgspec.Struct, frozen=True, kw_only=True):
    """What a format is known to cost, on another model: a prior, and no measurement of this one.

    Attributes:
        kl_divergence: mean, in nats a token, of Llama-3-8B on wikitext-2; None where nobody published one.
        words: ``near lossless``, ``good``, ``fair``, ``poor``, ``unknown``.
        source: where it was published.
    """

    kl_divergence: float | None
    words: str
    source: str


class FitRow(msgspec.Struct, frozen=True, kw_only=True):
    """One model in one format on one engine.

    Attributes:
        model: its name, or where it lies.
        task: of a model for speech: ``recognition``, ``synthesis``, ``activity``; empty for others.
        where: ``catalog``, or ``file``, ``ollama``, ``hub``: on this machine.
        parameters, parameters_active: numbers, and those that a token passes through.
        format: of the weights, as ``--format`` takes it. engine: key of ``engine.runtimes``.
        as_stored: the weights are in the format that they lie in, and no ``--format`` leads there.
        context_tokens: the largest that fits, of those looked at; 0 where none does, and where a model has none.
        at_tokens: the context that the bytes and the speeds are of: what was asked for, or the largest below it that
            fits, or the next of those looked at.
        verdict: ``comfortable``: what was asked for fits with a tenth of the capacity to spare; ``tight``: it fits with
            less; ``barely``: only with a smaller context, or in a format that is a last resort; ``no``.
        reason: why not better, empty for comfortable.
        weights_bytes: of the file.
        likely_bytes, high_bytes, required_bytes, headroom_bytes: as in a ``Footprint``, at ``at_tokens``.
        decode_tokens_per_s, decode_low_tokens_per_s, decode_high_tokens_per_s: of one request, with half of the context
            filled; None where nobody published what the engine makes of such a chip.
        prefill_tokens_per_s: of a prompt.
        quality: of the format.
        score: the order within a verdict, see ``fit.rank``.
        named: the documents' own advice for this use.
    """

    model: str
    task: str = ""
    where: str = "catalog"
    parameters: int
    parameters_active: int
    format: str
    as_stored: bool = False
    engine: str
    context_tokens: int
    at_tokens: int
    context_trained_tokens: int
    verdict: FitVerdict
    reason: str = ""
    weights_bytes: int
    likely_bytes: int
    high_bytes: int
    required_bytes: int
    headroom_bytes: int
    decode_tokens_per_s: float | None = None
    decode_low_tokens_per_s: float | None = None
    decode_high_tokens_per_s: float | None = None
    prefill_tokens_per_s: float | None = None
    quality: QualityPrior
    score: float = 0.0
    named: bool = False


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: the best row of every model, best first.

    Attributes:
        rows: those asked for; those that do not fit come last.
        considered: combinations of model, format, engine and context that were looked at.
        left_out: models that are for other uses.
        target_tokens_per_s: rows that are sure to be slower come after the others of their verdict; 0 for any speed.
        notes: what the reader must know, one sentence each.
    """

    device: Device
    wish: Wish
    rows: tuple[FitRow, ...]
    considered: int
    left_out: int = 0
    target_tokens_per_s: float = 0.0
    notes: tuple[str, ...] = ()
    schema_version: int = 1
