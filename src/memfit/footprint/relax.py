"""What would make a deployment smaller, each change with its price: the list that every later feature reuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import msgspec

from memfit.device.records import Device
from memfit.engine._engine import Models
from memfit.engine.records import Deployment, Options, Profile
from memfit.errors import MemfitError
from memfit.footprint.predict import predict
from memfit.footprint.records import Footprint, Relief
from memfit.units import MIB

Changed = tuple[str, str, str, Options]
Variant = tuple[str, str, str, Deployment]
Reformat = Callable[[Models, str], Models | None]


def relax(
    device: Device,
    models: Models,
    deployment: Deployment,
    *,
    profile: Profile = "library",
    reformat: Reformat | None = None,
    most: int = 6,
) -> tuple[Relief, ...]:
    """Single changes that would give memory back, largest first; by formula on both sides, so like with like.

    Args:
        device: to fit into.
        models: the shapes of all that the deployment names.
        deployment: what to make smaller.
        profile: whose runtime baseline counts.
        reformat: gives the model's shape in another quantization preset, None where that is no gain or not possible.
        most: how many changes to return.
    """
    base = predict(device, models, deployment, profile=profile, source="formula")
    found = [_priced(base, device, models, variant, profile) for variant in _variants(models, deployment)]
    if reformat is not None:
        found += [_reformatted(base, device, models, deployment, preset, profile, reformat) for preset in _PRESETS]
    gains = [relief for relief in found if relief is not None and relief.saved_bytes >= MIB]
    best = _best_of_each(sorted(gains, key=_by_saving))
    return tuple(sorted(best, key=_by_saving))[:most]


def _by_saving(relief: Relief) -> int:
    return -relief.saved_bytes


_PRESETS = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M")


def _variants(models: Models, deployment: Deployment) -> Iterator[Variant]:
    options = deployment.options
    for option, value, cost, changed in _option_variants(models, options):
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
        rows = min(1, options.output_rows)
        yield _with(options, "--slots", 1, "one request at a time", slots=1, output_rows=rows)
    yield from _cache_variants(models, options)
    for smaller in (256, 128):
        if smaller < options.ubatch_tokens:
            yield _with(options, "--ubatch", smaller, "slower prompts", ubatch_tokens=smaller)
    if options.output_rows == 0:
        yield _with(options, "--output-rows", options.slots, "logits of the last token only", output_rows=options.slots)
    if options.repack and options.backend == "cpu":
        yield _with(options, "--no-repack", "", "slower prompts on the CPU", repack=False)


def _cache_variants(models: Models, options: Options) -> Iterator[Changed]:
    if not options.flash_attention:
        yield _with(options, "--flash-attention", "on", "none known", flash_attention=True)
    elif options.kv_type_k == "F16":
        for kv_type, cost in (("q8_0", "a small loss on long contexts"), ("q4_0", "a visible loss on long contexts")):
            upper = kv_type.upper()
            yield _with(options, "--kv-type", kv_type, cost, kv_type_k=upper, kv_type_v=upper)
    if options.full_window_cache and models.model.window_tokens:
        yield _with(options, "--swa-window", "", "no reuse of a prompt's early part", full_window_cache=False)
    if options.cache_ram_bytes:
        yield _with(options, "--cache-ram", 0, "no prompt is kept for later", cache_ram_bytes=0)
    if options.checkpoints > 4:
        yield _with(options, "--ctx-checkpoints", 4, "fewer states to go back to", checkpoints=4)


def _with(options: Options, option: str, value: object, cost: str, **changes: object) -> Changed:
    return option, str(value), cost, msgspec.structs.replace(options, **changes)


def _priced(base: Footprint, device: Device, models: Models, variant: Variant, profile: Profile) -> Relief | None:
    option, value, cost, deployment = variant
    if deployment.draft is None:
        models = replace(models, draft=None)
    if deployment.projector is None:
        models = replace(models, projector=None)
    try:
        smaller = predict(device, models, deployment, profile=profile, source="formula")
    except MemfitError:
        return None  # this model does not take that option, such as a KV format its rows do not divide
    return _relief(base, smaller, option, value, cost)


def _reformatted(
    base: Footprint,
    device: Device,
    models: Models,
    deployment: Deployment,
    preset: str,
    profile: Profile,
    reformat: Reformat,
) -> Relief | None:
    other = reformat(models, preset)
    if other is None:
        return None
    smaller = predict(device, other, deployment, profile=profile, source="formula")
    return _relief(base, smaller, "--format", preset, f"weights in {preset} instead of {base.model.format}")


def _relief(base: Footprint, smaller: Footprint, option: str, value: str, cost: str) -> Relief:
    return Relief(
        option=option,
        value=value,
        saved_bytes=base.required_bytes - smaller.required_bytes,
        required_bytes=smaller.required_bytes,
        high_bytes=smaller.high_bytes,
        verdict=smaller.verdict,
        cost=cost,
    )


def _best_of_each(gains: list[Relief]) -> Iterator[Relief]:
    """Of several values of one option: the mildest that fits, or else the one that gives most."""
    for option in dict.fromkeys(relief.option for relief in gains):
        same = [relief for relief in gains if relief.option == option]
        fitting = [relief for relief in same if relief.verdict == "fits"]
        yield fitting[-1] if fitting else same[0]
