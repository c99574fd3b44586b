"""What an evaluation shows and what a search decides, as records."""

from __future__ import annotations

from typing import Literal

import msgspec

from memfit.engine.predictions import Speed


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """The text that figures are of.

    Attributes:
        name: the file, or that the bundled sample was taken.
        sha256: of its content.
        tokens: in all; ``windows`` of ``window_tokens`` were counted, from position ``first`` of each on.
        bundled: it is not the user's own text.
    """

    name: str
    sha256: str
    tokens: int
    windows: int
    window_tokens: int
    first: int
    bundled: bool = False


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """How near a model's predictions are to its base's; divergences in nats a token, KL(base || model).

    Attributes:
        kl_mean: mean divergence; ``kl_ci95`` its 95 % confidence interval over texts like this one.
        kl_p99: of single predictions.
        top1: share of predictions with the base's likeliest token.
        perplexity, base_perplexity: exponential of the mean negative log likelihood.
        perplexity_ratio_ci95: of the two, paired window by window.
        tokens: predictions counted.
    """

    kl_mean: float | None = None
    kl_ci95: tuple[float, float] | None = None
    kl_p99: float | None = None
    top1: float | None = None
    perplexity: float
    perplexity_ci95: tuple[float, float]
    base_perplexity: float | None = None
    perplexity_ratio_ci95: tuple[float, float] | None = None
    tokens: int


class TaskResult(msgspec.Struct, frozen=True, kw_only=True):
    """A file of tasks, scored by log likelihood.

    Attributes:
        right, base_right: tasks answered rightly, of ``tasks``; by the base where there is one.
        lost, won: answered rightly by the base alone, and by the model alone.
        p_value: of the exact paired test (McNemar) that both are equally good; None without a base.
    """

    file: str
    sha256: str
    tasks: int
    right: int
    base_right: int | None = None
    lost: int | None = None
    won: int | None = None
    p_value: float | None = None


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """A model on a text, beside its base where there is one.

    Attributes:
        model, base: files; ``base`` may be a kept reference.
        bytes: of the model's file; ``memory_bytes`` what a deployment with this context likely takes.
        quality: see there; its fields stand beside it too, because others build on their names.
        seconds: that it took.
        notes: what these figures do not promise.
    """

    model: str
    base: str | None
    bytes: int
    base_bytes: int | None
    memory_bytes: int | None
    text: Text
    perplexity: float
    kl_mean: float | None = None
    kl_ci95: tuple[float, float] | None = None
    top1: float | None = None
    quality: Quality
    tasks: tuple[TaskResult, ...] = ()
    speed: Speed | None = None
    engine: str
    seconds: float
    notes: tuple[str, ...] = ()
    schema_version: int = 1


FloorKind = Literal["kl", "ppl", "task"]


class Floor(msgspec.Struct, frozen=True, kw_only=True):
    """What has to hold.

    Attributes:
        kind: ``kl``: mean divergence in nats; ``ppl``: perplexity; ``task``: right answers.
        most: nats; share that the perplexity may grow by; share of right answers that may be lost.
        file: of tasks.
        written: as it was asked for.
    """

    kind: FloorKind
    most: float
    file: str | None = None
    written: str


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A floor beside a measurement: ``measured`` at the end of its interval that counts, in the floor's unit."""

    floor: str
    measured: float
    holds: bool


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What one tensor got, and why.

    Attributes:
        before, format: in the base and in the result.
        bytes: in the result.
        divergence: predicted to come from it, in nats a token; 0 where it stays as it was.
        probed: divergence measured with this tensor alone in ``probe_format``, or computed where a note says so; None
            where it is not known.
        why: in words.
    """

    name: str
    dims: tuple[int, ...]
    before: str
    format: str
    bytes: int
    divergence: float = 0.0
    probed: float | None = None
    probe_format: str | None = None
    why: str = ""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A way to store the model that was looked at.

    Attributes:
        name: a preset, or ``searched``.
        bytes: of the file.
        fallbacks: tensors that would not get the format the preset names, because their rows do not divide.
        predicted_kl: in nats a token.
        quality, speed, tasks: measured with the real kernels on text that the search has not seen; None where it was
            only predicted.
        held: each floor; empty without floors.
        formats: of each tensor that is quantized, in the file's order.
        why_not: it could not be made, or predicts no numbers.
    """

    name: str
    bytes: int
    fallbacks: int = 0
    predicted_kl: float | None = None
    quality: Quality | None = None
    speed: Speed | None = None
    tasks: tuple[TaskResult, ...] = ()
    held: tuple[Held, ...] = ()
    why_not: str | None = None

    @property
    def holds(self) -> bool:
        """Whether it was measured and holds every floor."""
        return self.quality is not None and all(one.holds for one in self.held)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked of a search.

    Attributes:
        floors: that have to hold.
        max_bytes: that the file may take; below zero where the rest of a deployment takes so much more than its device
            has.
        min_tokens_per_s: that it has to answer at, here.
        max_ttft_s: seconds to the first token behind a prompt of ``ttft_tokens``.
        device, context_tokens, slots: that it has to fit, from which ``max_bytes`` follows.
        kv: formats of the KV cache, K and V; None: to be chosen together with those of the weights.
    """

    floors: tuple[Floor, ...] = ()
    max_bytes: int | None = None
    min_tokens_per_s: float | None = None
    max_ttft_s: float | None = None
    ttft_tokens: int = 512
    device: str | None = None
    context_tokens: int | None = None
    slots: int = 1
    kv: tuple[str, str] | None = ("F16", "F16")


class CacheChoice(msgspec.Struct, frozen=True, kw_only=True):
    """Formats of K and V in the cache, and what they mean for the weights.

    Attributes:
        max_bytes: that they leave for the file.
        cache_kl: measured with the base, in nats a token; 0 for F16.
        predicted_kl: of cache and weights together.
    """

    k: str
    v: str
    max_bytes: int
    cache_kl: float
    predicted_kl: float


class Recovered(msgspec.Struct, frozen=True, kw_only=True):
    """What distillation changed; losses are KL(base || model) in nats a token, on text that was not trained on.

    Attributes:
        loss_before: of what training began with: the search's file, or nearly so, and ggml's own rounding of the base
            where there was none; ``loss_after`` of the best weights, the same where training found nothing better.
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


class PrecisionMap(msgspec.Struct, frozen=True, kw_only=True):
    """What a search decided: enough to make the same file again.

    Attributes:
        model, model_sha256, model_bytes: the base; no digest where it was not read, as nothing could fit.
        out, bytes, sha256: the file that was written; None where none was.
        asked: see ``Asked``; ``method`` how it was searched.
        tensors: what each got.
        importance_sha256: of the importances that quantized it; they lie beside the recipe.
        kv: formats of the cache that everything was measured with; ``caches``: those that were weighed against it.
        predicted_kl, quality: of the result.
        candidates: the presets that it competed with, and what the search tried, least bytes first.
        chosen: name of the candidate that was taken, None where nothing held.
        nearest, nearest_bytes: name and bytes of the candidate that came nearest where nothing held.
        least_bytes: of the smallest file that the formats allow; None where nobody asked.
        recovered: what distillation changed, where the result has it; None without.
        text, unseen, engine: what it was searched on, what it was measured on at last, and by whom; None where nothing
            was, as nothing could fit.
        notes: what it does not promise.
    """

    model: str
    model_sha256: str | None
    model_bytes: int
    out: str | None
    bytes: int | None
    sha256: str | None
    asked: Asked
    method: Literal["ladder", "searched"]
    tensors: tuple[Given, ...]
    importance_sha256: str | None = None
    kv: tuple[str, str] = ("F16", "F16")
    caches: tuple[CacheChoice, ...] = ()
    predicted_kl: float | None = None
    quality: Quality | None = None
    speed: Speed | None = None
    held: tuple[Held, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    chosen: str | None = None
    nearest: str | None = None
    nearest_bytes: int | None = None
    least_bytes: int | None = None
    recovered: Recovered | None = None
    text: Text | None = None
    unseen: Text | None = None
    engine: str | None = None
    seconds: float
    notes: tuple[str, ...] = ()
    schema_version: int = 1
