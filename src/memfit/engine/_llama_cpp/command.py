"""A llama.cpp command line, as people paste it, turned into a deployment.

Names, defaults and environment follow common/arg.cpp and tools/server (0c1e57098). Options that take no memory are
skipped; one that llama.cpp does not know is named in a warning, never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath

import msgspec

from memfit.engine._llama_cpp.flags import SWITCHES, VALUED
from memfit.engine.records import Deployment, Options, Profile
from memfit.errors import UsageError
from memfit.units import MIB

_SERVERS = ("llama-server", "llama.cpp-server", "server")
_TOOLS = ("llama-cli", "llama-run", "llama-bench", "llama-perplexity", "llama-completion", "main", "llama-mtmd-cli")

# flag -> (field or action, how its value is read); every spelling of common/arg.cpp that changes memory
_VALUED = {
    "model": ("-m", "--model"),
    "context_tokens": ("-c", "--ctx-size"),
    "batch_tokens": ("-b", "--batch-size"),
    "ubatch_tokens": ("-ub", "--ubatch-size"),
    "slots": ("-np", "--parallel"),
    "kv_type_k": ("-ctk", "--cache-type-k"),
    "kv_type_v": ("-ctv", "--cache-type-v"),
    "flash_attention": ("-fa", "--flash-attn"),
    "load_mode": ("-lm", "--load-mode"),
    "gpu_layers": ("-ngl", "--gpu-layers", "--n-gpu-layers"),
    "threads": ("-t", "--threads"),
    "cache_ram": ("-cram", "--cache-ram"),
    "checkpoints": ("-ctxcp", "--ctx-checkpoints", "--swa-checkpoints"),
    "draft": ("-md", "--model-draft", "--spec-draft-model"),
    "projector": ("-mm", "--mmproj"),
    "adapter": ("--lora",),
    "repository": ("-hf", "-hfr", "--hf-repo"),
}
_SWITCHES = {
    "kv_unified": ("-kvu", "--kv-unified"),
    "kv_split": ("-no-kvu", "--no-kv-unified"),
    "swa_full": ("--swa-full",),
    "no_repack": ("-nr", "--no-repack"),
    "no_mmap": ("--no-mmap",),
    "cpu_only": ("--cpu",),
}
_FLAGS = {flag: key for table in (_VALUED, _SWITCHES) for key, flags in table.items() for flag in flags}


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed command line: what it deploys, as library or server, and what memfit did not understand."""

    deployment: Deployment
    profile: Profile
    warnings: tuple[str, ...] = ()


def is_command(words: Sequence[str]) -> bool:
    """Whether this is a llama.cpp program with its arguments."""
    return bool(words) and _program(words[0]) in _SERVERS + _TOOLS


def parse_command(words: Sequence[str], profiles: dict[Profile, Options]) -> Command:
    """Read ``llama-server -m model.gguf -c 8192 …``.

    Raises:
        UsageError: no program of llama.cpp, no model, a missing or unreadable value.
    """
    if not is_command(words):
        raise UsageError(
            f"not a llama.cpp command: {' '.join(words[:3])!r}",
            hint="write: memfit estimate -- llama-server -m model.gguf -c 8192",
        )
    profile: Profile = "server" if _program(words[0]) in _SERVERS else "library"
    found: dict[str, list[str]] = {}
    unknown: list[str] = []
    for key, value in _pairs(words[1:], unknown):
        found.setdefault(key, []).append(value)
    if "model" not in found:
        hint = "memfit reads local files: give -m with the downloaded file" if "repository" in found else "give -m FILE"
        raise UsageError("the command names no model file", hint=hint)
    base = profiles[profile]
    if profile == "library":
        # the tools take the trained context and one output row a token asked for, not the bare library's defaults
        base = msgspec.structs.replace(base, context_tokens=0, full_window_cache=False)
    options = _options(base, found, profile)
    warnings = tuple(f"{flag} is not known to memfit and was left out" for flag in unknown)
    return Command(
        deployment=Deployment(
            model=found["model"][-1],
            options=options,
            draft=found.get("draft", [None])[-1],
            projector=found.get("projector", [None])[-1],
            adapters=tuple(name for names in found.get("adapter", []) for name in names.split(",")),
        ),
        profile=profile,
        warnings=warnings,
    )


def _pairs(words: Sequence[str], unknown: list[str]) -> Iterator[tuple[str, str]]:
    rest = iter(words)
    for word in rest:
        flag, equals, inline = word.partition("=")
        key = _FLAGS.get(flag)
        if key in _SWITCHES:
            yield key, ""
        elif key is not None or flag in VALUED:
            value = inline if equals else next(rest, None)
            if value is None:
                raise UsageError(f"{flag} needs a value", hint="paste the whole command")
            if key is not None:
                yield key, value
        elif flag not in SWITCHES:
            unknown.append(word)


def _options(base: Options, found: dict[str, list[str]], profile: Profile) -> Options:
    changes: dict[str, object] = {}
    for key in ("context_tokens", "batch_tokens", "ubatch_tokens", "slots", "threads", "checkpoints"):
        if key in found:
            changes[key] = _whole(key, found[key][-1])
    for key in ("kv_type_k", "kv_type_v"):
        if key in found:
            changes[key] = found[key][-1].upper()
    if "flash_attention" in found:
        changes["flash_attention"] = found["flash_attention"][-1].lower() not in ("off", "0", "false", "disabled")
    if "gpu_layers" in found:
        changes.update(_gpu(found["gpu_layers"][-1]))
    if "cache_ram" in found:
        changes["cache_ram_bytes"] = max(0, _whole("--cache-ram", found["cache_ram"][-1])) * MIB
    if "load_mode" in found or "no_mmap" in found:
        mode = found.get("load_mode", ["none"])[-1]
        changes["load_mode"] = "mmap" if mode.startswith(("mmap", "auto")) and "no_mmap" not in found else "none"
    if "no_repack" in found:
        changes["repack"] = False
    if "swa_full" in found:
        changes["full_window_cache"] = True
    changes.update(_slots(base, changes, found, profile))
    return msgspec.structs.replace(base, **changes)


def _slots(
    base: Options, changes: dict[str, object], found: dict[str, list[str]], profile: Profile
) -> dict[str, object]:
    """The server's four slots share one buffer; a stated number gets a buffer each, unless it says otherwise."""
    slots = changes.get("slots", base.slots)
    if slots == -1:
        slots = base.slots
    unified = base.unified_kv if "slots" not in found or changes.get("slots") == -1 else False
    if "kv_unified" in found:
        unified = True
    if "kv_split" in found:
        unified = False
    result: dict[str, object] = {"slots": slots, "unified_kv": unified}
    if profile == "server":
        result["output_rows"] = slots
    return result


def _gpu(value: str) -> dict[str, object]:
    if value in ("auto", "all"):
        return {"gpu_layers": -1, "backend": "cuda"}
    layers = _whole("-ngl", value)
    return {"gpu_layers": layers, "backend": "cuda" if layers != 0 else "cpu"}


def _whole(name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise UsageError(f"{name}: {value!r} is not a whole number", hint="paste the command as you run it") from None


def _program(word: str) -> str:
    return PurePath(word).name.removesuffix(".exe")
