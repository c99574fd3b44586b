"""Whether an engine runs the formats of a model on a GPU, and what must be said of it."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from memfit.engine._engine import Models
from memfit.engine._sized.request import Request
from memfit.engine.records import Deployment
from memfit.errors import UsageError
from memfit.precision._support import capability_of
from memfit.precision.formats import FORMATS, Format
from memfit.precision.presets import PRESETS, Preset
from memfit.precision.schemes import SCHEMES, Scheme
from memfit.precision.support import how

FP8_FROM = "8.9"
_CHECKPOINTS = (".safetensors", ".bin", ".pt", ".pth")


def check(key: str, wanted: Request, models: Models, deployment: Deployment, default: str) -> tuple[str, ...]:
    """What the reader must know of the formats, one sentence each.

    Args:
        key: of the engine in the catalog.
        wanted: what is asked of it.
        models: the model, whose file or card tells its formats.
        deployment: the format that was asked for.
        default: what a model without a file is sized in.

    Raises:
        UsageError: the engine, or this GPU with it, cannot run a format; the hint names some that it can.
    """
    if wanted.capability is None and wanted.options.backend == "cuda":
        return ("the compute capability of the GPU is not known: whether it runs this format was not looked at",)
    return tuple(
        word for form in _formats(models, deployment, default) for word in _judged(form, key, wanted, deployment)
    )


def check_kv(wanted: Request, *, refused: bool) -> tuple[str, ...]:
    """What must be said of an FP8 cache on a GPU that has no arithmetic for it.

    Args:
        wanted: what is asked.
        refused: the engine is known not to run it there; else nobody says.

    Raises:
        UsageError: it is refused.
    """
    if wanted.options.kv_type_k != "FP8" or wanted.capability is None or has_fp8(wanted.capability):
        return ()
    if refused:
        raise UsageError(
            f"{wanted.engine} needs compute capability {FP8_FROM} for an FP8 KV cache, and this GPU has"
            f" {wanted.capability}",
            hint="--kv-type f16",
        )
    return (f"no source says whether {wanted.engine} keeps an FP8 KV cache on compute capability {wanted.capability}",)


def has_fp8(capability: str) -> bool:
    """Whether a GPU computes in FP8: from Ada (8.9) on."""
    return capability_of(capability) >= capability_of(FP8_FROM)


def _formats(models: Models, deployment: Deployment, default: str) -> Iterator[Format | Preset | Scheme]:
    shape = models.model
    if shape.shards:
        names = dict.fromkeys(tensor.format for tensor in shape.tensors if len(tensor.dims) > 1)
        if shape.shards[0].path.lower().endswith(_CHECKPOINTS):
            # of tensors that name no scheme, such as packed integers, nothing is known
            yield from (SCHEMES.get(name) for name in names if name in SCHEMES)
        else:  # a GGUF file, whatever it is called: Ollama's blobs have no ending
            yield from (FORMATS.get(name) for name in names if name in FORMATS)
        return
    name = deployment.format or default
    yield SCHEMES.get(name) if name in SCHEMES else PRESETS.get(name)


def _judged(form: Format | Preset | Scheme, key: str, wanted: Request, deployment: Deployment) -> Iterator[str]:
    found = how(form, key, wanted.capability)
    if found is None:
        yield f"no source says whether {wanted.engine} runs {form.name} here: it is sized as if it does"
        return
    if found.how == "unsupported":
        others = ", ".join(_runnable(key, wanted.capability))
        raise UsageError(
            f"{wanted.engine} cannot run {form.name} here: {found.says} ({found.source})",
            hint=f"--format with one that it runs here: {others}" if others else "choose another engine",
        )
    if found.how == "weight-only" and _meant_lower(form):
        yield (
            f"{form.name} is weight-only here ({found.says}): it saves memory, and the arithmetic is done in 16 bits"
        )
    elif found.how == "weight-only" and "convert" in found.says:
        yield f"{form.name}: {found.says}"


@functools.cache
def _runnable(key: str, capability: str | None) -> tuple[str, ...]:
    """Schemes that an engine runs, kept: a search is refused thousands of times."""
    answers = ((name, how(scheme, key, capability)) for name, scheme in SCHEMES.items())
    return tuple(name for name, found in answers if found is not None and found.how != "unsupported")


def _meant_lower(form: Format | Preset | Scheme) -> bool:
    """Whether the format means activations in fewer bits than 16, so that weight-only is less than it promises."""
    return isinstance(form, Scheme) and form.activation_bits < 16
