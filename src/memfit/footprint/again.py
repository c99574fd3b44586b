"""The command that gives a footprint again, every option of it written out."""

from __future__ import annotations

import msgspec

from memfit.device.records import Device
from memfit.engine.records import Deployment, Options, Profile, with_slots
from memfit.engine.runtimes import ENGINES
from memfit.footprint.records import Footprint

# field -> how it is written where it differs from the profile's default
_COUNTS = {
    "context_tokens": "--context",
    "slots": "--slots",
    "batch_tokens": "--batch",
    "ubatch_tokens": "--ubatch",
    "output_rows": "--output-rows",
    "checkpoints": "--ctx-checkpoints",
    "gpu_layers": "--gpu-layers",
    "threads": "--threads",
    "load_mode": "--load-mode",
    "backend": "--backend",
}
_SWITCHES = {
    "unified_kv": ("--unified-kv", "--split-kv"),
    "repack": ("--repack", "--no-repack"),
    "full_window_cache": ("--swa-full", "--swa-window"),
}


def as_command(footprint: Footprint) -> tuple[str, ...]:
    """``memfit estimate`` with the words that lead to this footprint; its source is left to the default."""
    return command_of(footprint.deployment, footprint.device, footprint.profile)


def command_of(deployment: Deployment, device: Device, profile: Profile) -> tuple[str, ...]:
    """``memfit estimate`` with the words that lead to such a footprint."""
    model = f"./{deployment.model}" if deployment.model.startswith("-") else deployment.model  # a name, not an option
    words = ["memfit", "estimate", model]
    if deployment.format is not None:
        words += ["--format", deployment.format]
    if deployment.engine != "llama_cpp":
        words += ["--engine", deployment.engine.replace("_", "-")]
    profiles = ENGINES.get(deployment.engine).profiles
    if profiles[profile] != profiles["library"]:
        words += ["--profile", profile]
    words += _options(deployment.options, profiles[profile])
    for option, file in (("--draft", deployment.draft), ("--mmproj", deployment.projector)):
        words += [option, file] if file else []
    for adapter in deployment.adapters:
        words += ["--lora", adapter]
    if device.grade == "stated":
        words += ["--memory", str(device.capacity_bytes)]
    if device.name not in ("this machine", "stated memory"):
        words += ["--device", device.name]
    return tuple(words)


def _options(options: Options, default: Options) -> list[str]:
    words: list[str] = []
    default = _implied(options, default)
    for field, option in _COUNTS.items():
        value = getattr(options, field)
        if value != getattr(default, field):
            words += [option, str(value)]
    saved, saved_by_default = (
        "-1" if each.cache_ram_unlimited else f"{each.cache_ram_bytes}B" for each in (options, default)
    )
    if saved != saved_by_default:
        words += ["--cache-ram", saved]
    for field, (on, off) in _SWITCHES.items():
        value = getattr(options, field)
        if value != getattr(default, field):
            words.append(on if value else off)
    if (options.kv_type_k, options.kv_type_v) != (default.kv_type_k, default.kv_type_v):
        both = options.kv_type_k == options.kv_type_v
        words += ["--kv-type", (options.kv_type_k if both else f"{options.kv_type_k}/{options.kv_type_v}").lower()]
    if options.embeddings:
        words.append("--embeddings")
    if options.locked:
        words.append("--mlock")
    if options.flash_attention != default.flash_attention:
        words += ["--flash-attention", "on" if options.flash_attention else "off"]
    return words


def _implied(options: Options, default: Options) -> Options:
    """The defaults as the options that are written change them: one given to ``memfit estimate`` may set others."""
    if options.slots != default.slots:
        default = with_slots(default, options.slots)
        default = msgspec.structs.replace(default, slots=0)  # it is written all the same
    if options.gpu_layers != default.gpu_layers and default.backend == "cpu":
        default = msgspec.structs.replace(default, backend="cuda" if options.gpu_layers else "cpu")
    return default
