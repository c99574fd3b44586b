"""What an engine does with a format on a GPU: computes in it, only stores weights in it, or cannot run it."""

from __future__ import annotations

from memfit.precision._format import Format
from memfit.precision._ggml_support import supports
from memfit.precision._preset import Preset
from memfit.precision._scheme import Scheme
from memfit.precision._support import How, Support, answer
from memfit.precision.formats import FORMATS

__all__ = ["How", "Support", "engines_of", "how"]

_WORST: tuple[How, ...] = ("unsupported", "weight-only", "native")


def how(form: Format | Preset | Scheme, engine: str, capability: str | None) -> Support | None:
    """What ``engine`` does with weights of this format.

    Args:
        form: a format of ggml, a preset (answered by the worst of its formats), or a scheme.
        engine: key of ``memfit.engine.runtimes``.
        capability: compute capability of the GPU, ``8.7``; None for the processor alone.

    Returns:
        None where nobody knows. Unsupported is an answer, with its reason.

    Raises:
        ValueError: no compute capability.
    """
    if isinstance(form, Preset):
        answers = [how(FORMATS.get(name), engine, capability) for name in _formats_of(form)]
        known = [one for one in answers if one is not None]
        if len(known) < len(answers):
            known = [one for one in known if one.how == "unsupported"]
        return min(known, key=lambda one: _WORST.index(one.how), default=None)
    entries = form.support if isinstance(form, Scheme) else supports(form)
    return answer(tuple(entry for entry in entries if entry.engine == engine), capability)


def engines_of(form: Format | Scheme) -> tuple[str, ...]:
    """The engines of which something is known for this format."""
    entries = form.support if isinstance(form, Scheme) else supports(form)
    return tuple(dict.fromkeys(entry.engine for entry in entries))


def _formats_of(preset: Preset) -> tuple[str, ...]:
    """Every format that the preset may give a matrix; norms stay in F32, which every engine of GGUF runs."""
    if not FORMATS.get(preset.base).quantized:
        return (preset.base,)
    named = (preset.base, preset.output, preset.embedding or preset.base, *(rule.format for rule in preset.rules))
    return tuple(dict.fromkeys(named))
