"""What would make a deployment smaller, each change with its price: the list that every later feature reuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import msgspec

from memfit.device.records import Device
from memfit.engine._engine import Models
from memfit.engine.records import Deployment, Options, Profile, with_slots
from memfit.engine.runtimes import ENGINES
from memfit.errors import UsageError
from memfit.footprint.predict import predict
from memfit.footprint.records import Footprint, Relief
from memfit.footprint.verdict import verdict_of
from memfit.units import MIB

Changed = tuple[str, str, str, Options]
Variant = tuple[str, str, str, Deployment]
Sides = tuple[Footprint, Footprint]  # by formula, and as shown
Reformat = Callable[[Models, str, str], Models | None]


def relax(
    device: Device,
    models: Models,
    deployment: Deployment,
    *,
    profile: Profile = "library",
    reformat: Reformat | None = None,
    shown: Footprint | None = None,
    most: int = 6,
) -> tuple[Relief, ...]:
    """Single changes that would give memory back, largest first; by formula on both sides, so like with like.

    Args:
        device: to fit into.
        models: the shapes of all that the deployment names.
        deployment: what to make smaller.
        profile: whose runtime baseline counts.
        reformat: gives the model's shape in another format (a preset or a scheme) for an engine, None where that is no
            gain or not possible.
        shown: the footprint beside which the changes stand, where an engine answered it; savings are taken off it.
        most: how many changes to return.
    """
    base = predict(device, models, deployment, profile=profile, source="formula")
    sides = (base, shown or base)
    found = [_priced(sides, device, models, variant, profile) for variant in _variants(models, deployment, device)]
    if reformat is not None:
        names = ENGINES.get(deployment.engine).smaller_formats
        found += [_reformatted(sides, device, models, deployment, name, profile, reformat) for name in names]
    gains = [relief for relief in found if relief is not None and relief.saved_bytes >= MIB]
    best = _best_of_each(sorted(gains, key=_by_saving))
    return tuple(sorted(best, key=_by_saving))[:most]


def _by_saving(relief: Relief) -> int:
    return -relief.saved_bytes


def _variants(models: Models, deployment: Deployment, device: Device) -> Iterator[Variant]:
    options = deployment.options
    own = _pool_variants(options, device) if ENGINES.get(deployment.engine).reads == "checkpoints" else ()
    for option, value, cost, changed in (*_option_variants(models, options), *own):
        yield option, value, cost, msgspec.structs.replace(deployment, options=changed)
    if deployment.draft is not None:
        yield "--draft", "none", "no speculative decoding", msgspec.structs.replace(deployment, draft=None)
    if deployment.projector is not None:
        yield "--mmproj", "none", "no images or sound", msgspec.structs.replace(deployment, projector=None)


def _option_variants(models: Models, options: Options) -> Iterator[Changed]:
    context = options.context_tokens or models.model.context_trained_tokens
    for smaller in (4096, 2048, context // 2):
        if 512 <= smaller < context:
            yield _with(options, "--context", smaller, f"{smaller} tokens instead of {context}", context_tokens=smaller)
    if options.slots > 1:
        yield "--slots", "1", "one request at a time", with_slots(options, 1)
    yield from _cache_variants(models, options)
    for smaller in (256, 128):
        if smaller < options.ubatch_tokens:
            yield _with(options, "--ubatch", smaller, "slower prompts", ubatch_tokens=smaller)
    if options.output_rows == 0:
        yield _with(options, "--output-rows", options.slots, "logits of the last token only", output_rows=options.slots)
    if options.repack and options.backend == "cpu":
        yield _with(options, "--no-repack", "", "slower prompts on the CPU", repack=False)


def _pool_variants(options: Options, device: Device) -> Iterator[Changed]:
    """What engines of checkpoints have beside the usual."""
    from memfit.engine._sized.formats import has_fp8  # llama.cpp needs none of it
    from memfit.engine._sized.request import capability_of

    for smaller in (1024, 512):
        if smaller < options.batch_tokens:
            yield _with(options, "--batch", smaller, "slower prompts", batch_tokens=smaller)
    capability = capability_of(device)
    if options.kv_type_k in ("F16", "BF16") and capability is not None and has_fp8(capability):
        yield _with(options, "--kv-type", "fp8", "a small loss on long contexts", kv_type_k="FP8", kv_type_v="FP8")
    if options.kv_type_k in ("F16", "BF16", "F32"):
        yield _with(options, "--kv-type", "int8", "a small loss on long contexts", kv_type_k="INT8", kv_type_v="INT8")
    if options.cuda_graphs:
        yield _with(options, "--no-cuda-graphs", "", "slower tokens", cuda_graphs=False)
    if options.memory_fraction is not None:
        yield _with(options, "--memory-fraction", "least", "no room for more requests", memory_fraction=None)


def _cache_variants(models: Models, options: Options) -> Iterator[Changed]:
    if not options.flash_attention:
        yield _with(options, "--flash-attention", "on", "none known", flash_attention=True)
    else:  # one that is no gain is left out with all others that save nothing
        for kv_type, cost in (("q8_0", "a small loss on long contexts"), ("q4_0", "a visible loss on long contexts")):
            upper = kv_type.upper()
            yield _with(options, "--kv-type", kv_type, cost, kv_type_k=upper, kv_type_v=upper)
    if options.full_window_cache and models.model.window_tokens:
        yield _with(options, "--swa-window", "", "no reuse of a prompt's early part", full_window_cache=False)
    if options.cache_ram_bytes or options.cache_ram_unlimited:
        none = {"cache_ram_bytes": 0, "cache_ram_unlimited": False}
        yield _with(options, "--cache-ram", 0, "no prompt is kept for later", **none)
    if options.checkpoints > 4:
        yield _with(options, "--ctx-checkpoints", 4, "fewer states to go back to", checkpoints=4)


def _with(options: Options, option: str, value: object, cost: str, **changes: object) -> Changed:
    return option, str(value), cost, msgspec.structs.replace(options, **changes)


def _priced(sides: Sides, device: Device, models: Models, variant: Variant, profile: Profile) -> Relief | None:
    option, value, cost, deployment = variant
    if deployment.draft is None:
        models = replace(models, draft=None)
    if deployment.projector is None:
        models = replace(models, projector=None)
    try:
        smaller = predict(device, models, deployment, profile=profile, source="formula")
    except UsageError:
        return None  # this model does not take that option, such as a KV format its rows do not divide
    return _relief(sides, smaller, option, value, cost)


def _reformatted(
    sides: Sides,
    device: Device,
    models: Models,
    deployment: Deployment,
    name: str,
    profile: Profile,
    reformat: Reformat,
) -> Relief | None:
    changed = msgspec.structs.replace(deployment, format=name)
    try:
        other = reformat(models, name, deployment.engine)
        if other is None:
            return None
        smaller = predict(device, other, changed, profile=profile, source="formula")
    except UsageError:
        if ENGINES.get(deployment.engine).reads == "gguf":
            raise
        return None  # this engine, this GPU or this model does not take that format
    return _relief(sides, smaller, "--format", name, f"weights in {name} instead of {sides[0].model.format}")


def _relief(sides: Sides, smaller: Footprint, option: str, value: str, cost: str) -> Relief:
    """Savings by formula on both sides, taken off the footprint that is shown."""
    base, shown = sides
    required = shown.required_bytes - (base.required_bytes - smaller.required_bytes)
    unevictable = _unevictable(shown) - (_unevictable(base) - _unevictable(smaller))
    return Relief(
        option=option,
        value=value,
        saved_bytes=base.required_bytes - smaller.required_bytes,
        required_bytes=required,
        high_bytes=shown.high_bytes - (base.high_bytes - smaller.high_bytes),
        verdict=verdict_of(required, unevictable, shown.capacity_bytes),
        cost=cost,
    )


def _unevictable(footprint: Footprint) -> int:
    return footprint.high_bytes - footprint.evictable_bytes


def _best_of_each(gains: list[Relief]) -> Iterator[Relief]:
    """Of several values of one option: the mildest that fits, or else the one that gives most."""
    for option in dict.fromkeys(relief.option for relief in gains):
        same = [relief for relief in gains if relief.option == option]
        fitting = [relief for relief in same if relief.verdict == "fits"]
        yield fitting[-1] if fitting else same[0]
