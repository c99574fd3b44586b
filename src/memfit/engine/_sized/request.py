"""What is asked of an engine that is only sized, with its options read in that engine's way."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from memfit.device.records import Device
from memfit.engine._engine import Models
from memfit.engine._sized.facts import Facts, facts_of
from memfit.engine.records import Asked, Backend, Deployment, Options, Pool
from memfit.errors import UnknownArchitecture, UsageError
from memfit.model.shape import ModelShape

KV_BYTES: Mapping[str, int] = {"F16": 2, "BF16": 2}
BOTH: tuple[Backend, ...] = ("cpu", "cuda")
_CAPABILITY = re.compile(r"\d+\.\d+$")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A model with what it is to serve.

    Attributes:
        engine: name of the engine, for messages.
        facts: sums over the shape.
        context_tokens: of each request.
        slots: requests at once.
        batch_tokens: prompt tokens computed at once, all requests together.
        kv_element_bytes: of one number of the cache.
        total_bytes: the memory that a fraction is taken of: what CUDA shows as the device's own.
        capability: compute capability of the GPU, None where it is not known or not used.
    """

    engine: str
    shape: ModelShape
    facts: Facts
    device: Device
    options: Options
    context_tokens: int
    slots: int
    batch_tokens: int
    kv_element_bytes: int
    total_bytes: int
    capability: str | None

    @property
    def pool(self) -> Pool:
        """Where weights, caches and activations live."""
        if self.device.unified:
            return "unified"
        return "gpu" if self.options.backend == "cuda" else "host"

    @property
    def host_pool(self) -> Pool:
        """Where the process lives."""
        return "unified" if self.device.unified else "host"


def request(
    engine: str,
    models: Models,
    deployment: Deployment,
    device: Device,
    asked: Asked,
    *,
    backends: tuple[Backend, ...] = ("cuda",),
    kv_bytes: Mapping[str, int] = KV_BYTES,
    speech: bool = False,
) -> Request:
    """Read the options as ``engine`` does.

    Args:
        engine: its name, for messages.
        models: the model; nothing beside it.
        deployment: with its options.
        device: where it is to run.
        asked: whom to ask: never the engine, which memfit does not start.
        backends: what it can run on.
        kv_bytes: bytes of a number by the cache's format, as far as the engine has them.
        speech: whether the rules of this engine hold for models of speech too.

    Raises:
        UsageError: something that this engine does not have, or that memfit does not size for it.
        UnknownArchitecture: no architecture file describes the model.
    """
    options, shape = deployment.options, models.model
    _refuse_beside(engine, deployment, asked)
    if shape.kind == "speech" and not speech:
        raise UsageError(
            f"memfit does not size models for speech on {engine}",
            hint="--engine ctranslate2 for whisper, --engine onnxruntime for others",
        )
    if not shape.layers and shape.kind != "speech":
        raise UnknownArchitecture(
            f"memfit does not know the architecture {shape.architecture!r}, so it cannot size it on {engine}",
            hint="estimate another model of the same size, or use --engine llama_cpp --source engine",
        )
    if options.backend not in backends:
        raise UsageError(
            f"memfit sizes {engine} on {' and '.join(backends)} only, not on {options.backend}",
            hint=f"--backend {backends[0]}",
        )
    fraction = options.memory_fraction
    if fraction is not None and not 0 < fraction <= 1:
        raise UsageError(f"a memory fraction of {fraction:g} is no share", hint="give it between 0 and 1, such as 0.6")
    if options.slots < 1 or options.batch_tokens < 1 or options.context_tokens < 0:
        raise UsageError("context, slots and batch have to be positive", hint="leave them out for the defaults")
    context = options.context_tokens or shape.context_trained_tokens
    if shape.kind == "speech":  # it has no more positions than it was trained with, whatever an engine's default is
        context = min(context, shape.context_trained_tokens)
    return Request(
        engine=engine,
        shape=shape,
        facts=facts_of(shape),
        device=device,
        options=options,
        context_tokens=context,
        slots=options.slots,
        batch_tokens=min(options.batch_tokens, max(context, 1) * options.slots),
        kv_element_bytes=_kv_element(engine, options, kv_bytes),
        total_bytes=memory_of(device),
        capability=capability_of(device) if options.backend == "cuda" else None,
    )


def memory_of(device: Device) -> int:
    """What CUDA shows as the device's own memory, as far as it is known."""
    return device.total_bytes or device.physical_bytes or device.capacity_bytes


def capability_of(device: Device) -> str | None:
    """Compute capability of a device's GPU, None where it is not known."""
    match = _CAPABILITY.search(device.gpu or "")
    return match.group() if match else None


def _refuse_beside(engine: str, deployment: Deployment, asked: Asked) -> None:
    if asked in ("engine", "both"):
        raise UsageError(
            f"memfit does not ask {engine}: it is sized by its rules", hint="leave out --source, or use formula"
        )
    for given, option in (
        (deployment.draft, "--draft"),
        (deployment.projector, "--mmproj"),
        (deployment.adapters, "--lora"),
    ):
        if given:
            raise UsageError(
                f"memfit sizes {option} for llama.cpp only, not for {engine}",
                hint=f"leave out {option}; estimate a draft or a tower on its own",
            )


def _kv_element(engine: str, options: Options, kv_bytes: Mapping[str, int]) -> int:
    if options.kv_type_k != options.kv_type_v:
        raise UsageError(f"{engine} has one format for K and V", hint=f"--kv-type {options.kv_type_k.lower()}")
    if options.kv_type_k not in kv_bytes:
        raise UsageError(
            f"{engine} has no KV cache in {options.kv_type_k}",
            hint="it takes " + ", ".join(name.lower() for name in kv_bytes),
        )
    return kv_bytes[options.kv_type_k]
