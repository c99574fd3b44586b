"""Which formats are looked at for an engine, and what each is known to cost."""

from __future__ import annotations

from functools import cache

from memfit.engine.runtimes import ENGINES
from memfit.fit.records import QualityPrior
from memfit.precision.presets import PRESETS, Preset
from memfit.precision.schemes import SCHEMES, Scheme

PRESETS_LOOKED_AT = (
    *("F16", "Q8_0", "Q6_K", "Q5_K_M", "Q5_K_S", "Q4_K_M", "Q4_K_S"),
    *("Q4_0", "IQ4_XS", "Q3_K_M", "IQ3_S", "Q2_K", "IQ2_XXS"),
)
"""Of llama.cpp's presets those that people publish, most bits first."""

# what the words mean, by the mean KL divergence: the steps of llama.cpp's scoreboard at Q6_K, Q4_K_M and Q3_K_M
NEAR_LOSSLESS = 0.006
MOST_BEARABLE = 0.12
"""Above it a format is a last resort: Q2_K and below, which the documents advise only where nothing else fits."""
_LEAST_BITS = 4.0
_WORDS = ((NEAR_LOSSLESS, "near lossless"), (0.04, "good"), (MOST_BEARABLE, "fair"))


def formats_of(engine: str) -> tuple[str, ...]:
    """Keys of presets or schemes, most bits first."""
    found = ENGINES.get(engine)
    if found.reads == "gguf":
        return PRESETS_LOOKED_AT
    return tuple(dict.fromkeys((found.default_format, *found.smaller_formats)))


def form_of(format: str) -> Preset | Scheme:
    """The preset or scheme of this name; names that both have (``bf16``) mean the scheme, unless written as a preset's.

    Raises:
        UnknownName: neither.
    """
    if format in PRESETS_LOOKED_AT or format not in SCHEMES:
        return PRESETS.get(format)
    return SCHEMES.get(format)


@cache
def quality_of(format: str) -> QualityPrior:
    """What this format is known to cost.

    Presets have a published KL divergence, with an importance matrix where there is one, as published files are made.
    Of schemes only perplexities and words were published, and of some nothing: that is said.
    """
    form = form_of(format)
    if isinstance(form, Preset):
        figure = form.quality_imatrix or form.quality
        if figure is not None:
            return QualityPrior(
                kl_divergence=figure.kl_divergence, words=_words(figure.kl_divergence), source=figure.source
            )
        return QualityPrior(kl_divergence=None, words="unknown", source="")
    prior = form.quality
    if prior is None:
        return QualityPrior(kl_divergence=None, words="unknown", source="")
    return QualityPrior(kl_divergence=None, words=prior.loss, source=prior.source)


def _words(kl_divergence: float) -> str:
    return next((words for most, words in _WORDS if kl_divergence <= most), "poor")


@cache
def loss_of(format: str) -> float:
    """A KL divergence to rank by: the published one, or else that of the preset with the nearest bits.

    0 for what is no format, such as that of a file of many.
    """
    if format not in PRESETS and format not in SCHEMES:
        return 0.0
    known = quality_of(format).kl_divergence
    if known is not None:
        return known
    bits = bits_of(format)
    measured = [name for name in PRESETS_LOOKED_AT if quality_of(name).kl_divergence is not None]
    nearest = min(measured, key=lambda name: abs(bits_of(name) - bits))
    return quality_of(nearest).kl_divergence or 0.0


@cache
def is_last_resort(format: str) -> bool:
    """Whether it takes much of what a model can do, or has so few bits, unmeasured, that it must be taken for such."""
    if format not in PRESETS and format not in SCHEMES:
        return False
    few = quality_of(format).words == "unknown" and bits_of(format) < _LEAST_BITS
    return few or loss_of(format) > MOST_BEARABLE


@cache
def bits_of(format: str) -> float:
    """Bits a number of a matrix takes, scales included; of a preset those of its base format."""
    form = form_of(format)
    if isinstance(form, Preset):
        from memfit.precision.formats import FORMATS

        return FORMATS.get(form.base).bits
    return 8 * form.matrix_bytes((4096, 4096)) / (4096 * 4096)
