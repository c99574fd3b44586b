"""The options of a pasted llama.cpp command, resolved as its programs resolve them (0c1e57098)."""

from __future__ import annotations

import msgspec

from memfit.engine._llama_cpp.effects import PROPOSED, ROLLING_BACK
from memfit.engine.records import Options, Profile
from memfit.errors import UsageError
from memfit.precision import kv_format
from memfit.units import MIB

_COUNTS = ("context_tokens", "batch_tokens", "ubatch_tokens", "slots")
# common/arg.cpp, --load-mode: what of it maps the file, what locks it
_LOAD_MODES = {
    "auto": ("mmap", False),
    "none": ("none", False),
    "mmap": ("mmap", False),
    "mlock": ("none", True),
    "mmap+mlock": ("mmap", True),
    "dio": ("none", False),
}
_OPPOSITES = {"kv_unified": "kv_split", "kv_split": "kv_unified", "no_repack": "repack", "repack": "no_repack"}
_NGRAM_MOD_MIB = 16  # common_speculative_impl_ngram_mod: 4 Mi entries of 4 bytes (common/speculative.cpp)


class Found:
    """The options of a command by key, each with its values in order, and what has to be said of them."""

    def __init__(self) -> None:
        self._values: dict[str, list[str]] = {}
        self.warnings: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __getitem__(self, key: str) -> str:
        """The last value, which wins."""
        return self._values[key][-1]

    def get(self, key: str) -> str | None:
        """The last value, or None."""
        values = self._values.get(key)
        return values[-1] if values else None

    def all(self, key: str) -> tuple[str, ...]:
        """Every value in order."""
        return tuple(self._values.get(key, ()))

    def add(self, key: str, value: str) -> None:
        """Note one more; it undoes one that says the opposite, as the last of the two wins."""
        self._values.pop(_OPPOSITES.get(key, ""), None)
        self._values.setdefault(key, []).append(value)

    def whole(self, key: str, flag: str) -> int:
        """The last value as a number.

        Raises:
            UsageError: it is none.
        """
        try:
            return int(self[key])
        except ValueError:
            raise UsageError(
                f"{flag}: {self[key]!r} is not a whole number", hint="paste the command as you run it"
            ) from None


def _written(key: str) -> str:
    """How people write an option, for messages: its long spelling."""
    names = {"context_tokens": "--ctx-size", "batch_tokens": "--batch-size", "ubatch_tokens": "--ubatch-size"}
    return names.get(key, "--" + key.removesuffix("_tokens").replace("_", "-"))


def options_of(base: Options, found: Found, profile: Profile) -> tuple[Options, bool]:
    """``base`` as the command changes it, and whether it says what runs on the GPU.

    Raises:
        UsageError: a value that cannot be read.
        UnknownName: a KV cache format that llama.cpp does not take.
    """
    changes: dict[str, object] = {key: found.whole(key, _written(key)) for key in _COUNTS if key in found}
    for key in ("kv_type_k", "kv_type_v"):
        if key in found:
            changes[key] = kv_format(found[key]).name
    if "flash_attention" in found:
        changes["flash_attention"] = found["flash_attention"] not in ("off", "0", "false", "disabled")
    if "threads" in found:
        # the prompt's threads may be more than the generation's, and scratch grows with them; -1 takes the device's
        stated = [found.whole(key, _written(key)) for key in ("threads", "threads_batch") if key in found]
        changes["threads"] = max(stated) if min(stated) > 0 else 0
    if "no_repack" in found:
        changes["repack"] = False
    if "swa_full" in found:
        changes["full_window_cache"] = True
    changes.update(_load_mode(found))
    changes.update(_saved_prompts(found, profile))
    gpu = _gpu(found)
    changes.update(gpu)
    options = msgspec.structs.replace(base, **changes)
    options = msgspec.structs.replace(options, **_slots(base, options, found))
    options = msgspec.structs.replace(options, **_rows(options, found, profile))
    return options, "backend" in gpu


def _load_mode(found: Found) -> dict[str, object]:
    mode = found.get("load_mode")
    if mode is None and "no_mmap" not in found and "mlock" not in found:
        return {}
    if mode is None:
        mode = {(True, True): "mlock", (True, False): "none"}.get(("no_mmap" in found, "mlock" in found), "mmap+mlock")
    if mode not in _LOAD_MODES:
        raise UsageError(f"--load-mode {mode}: llama.cpp has no such mode", hint=f"known: {', '.join(_LOAD_MODES)}")
    load_mode, locked = _LOAD_MODES[mode]
    return {"load_mode": load_mode, "locked": locked}


def _saved_prompts(found: Found, profile: Profile) -> dict[str, object]:
    """Only the server saves prompts."""
    changes: dict[str, object] = {}
    if "cache_ram" in found:
        most = found.whole("cache_ram", "--cache-ram")
        changes.update(cache_ram_bytes=max(0, most) * MIB, cache_ram_unlimited=most < 0)
    if "checkpoints" in found:
        changes["checkpoints"] = max(0, found.whole("checkpoints", "--ctx-checkpoints"))
    if changes and profile != "server":
        found.warnings.append("--cache-ram and --ctx-checkpoints are the server's and were left out for the library")
        return {}
    if changes.get("cache_ram_unlimited"):
        found.warnings.append(
            "--cache-ram -1 sets no limit in bytes: saved prompts are counted up to the tokens of the context, which is"
            " where the server drops them; recurrent states and checkpoints of many short prompts may exceed that"
        )
    return changes


def _slots(base: Options, options: Options, found: Found) -> dict[str, object]:
    """The server's four slots share one buffer; a stated number gets a buffer each, unless it says otherwise."""
    stated = "slots" in found and options.slots >= 0
    slots = options.slots if stated else base.slots
    unified = base.unified_kv and not stated
    if "kv_unified" in found:
        unified = True
    if "kv_split" in found:
        unified = False
    changes: dict[str, object] = {"slots": slots, "unified_kv": unified}
    if "slot_context" in found and "context_tokens" not in found:
        # tools/server/server.cpp: without -c, not even -c 0, it sizes the whole cache; otherwise it takes no memory
        changes["context_tokens"] = slots * max(0, found.whole("slot_context", "--kv-unified-per-slot"))
    return changes


def _rows(options: Options, found: Found, profile: Profile) -> dict[str, object]:
    """Rows of logits reserved: ``server_output_limits`` and the embedding clamp of tools/server."""
    if profile != "server":
        return {}
    embedding = "embedding" in found or "rerank" in found
    if "rerank" in found or found.get("pooling") == "rank":
        found.warnings.append("ranking computes a head of its own, whose compute buffers are not counted")
    if embedding or found.get("pooling") not in (None, "none"):
        batch = options.batch_tokens
        if embedding:
            batch = min(batch, options.ubatch_tokens or batch)
        return {"output_rows": 0, "batch_tokens": batch, "embeddings": True}
    kinds = [kind for kinds in found.all("speculation") for kind in kinds.split(",")]
    if "speculation_default" in found:
        kinds.append("ngram-mod")
    for kind in kinds:
        if kind not in PROPOSED:
            raise UsageError(f"--spec-type {kind}: llama.cpp has no such type", hint=f"known: {', '.join(PROPOSED)}")
    if "draft" in found and not kinds:
        found.warnings.append(
            "without --spec-type llama.cpp reads the kind of speculation from the draft's file; memfit does not, and"
            " counts no further rows or snapshots for it"
        )
    _say_what_speculation_adds(kinds, found)
    proposed = {kind: _proposed(kind, found) for kind in kinds}
    rows = options.slots * (1 + max(proposed.values(), default=0))
    return {
        "output_rows": min(options.batch_tokens, rows),
        "rollback_tokens": max((proposed[kind] for kind in kinds if kind in ROLLING_BACK), default=0),
    }


def _proposed(kind: str, found: Found) -> int:
    key, default = PROPOSED[kind]
    return max(0, found.whole(key, f"--spec-type {kind}")) if key in found else default


def _say_what_speculation_adds(kinds: list[str], found: Found) -> None:
    if "ngram-mod" in kinds:
        found.warnings.append(f"--spec-type ngram-mod keeps a table of {_NGRAM_MOD_MIB} MiB, which is not counted")
    heads = [kind for kind in kinds if kind in ROLLING_BACK]
    if heads:
        found.warnings.append(
            f"--spec-type {','.join(heads)} runs a second context with a cache and buffers, which are not counted"
        )


def _gpu(found: Found) -> dict[str, object]:
    """Layers on the GPU. Nothing said, or auto, leaves it to the device, which no command knows."""
    if found.get("device") == "none":
        return {"backend": "cpu"}
    layers = found.get("gpu_layers")
    if layers == "all":
        return {"gpu_layers": -1, "backend": "cuda"}
    if layers in (None, "auto", "-1"):
        return {"gpu_layers": -1, "backend": "cuda"} if "device" in found else {"gpu_layers": -1}
    count = found.whole("gpu_layers", "-ngl")
    return {"gpu_layers": max(-1, count), "backend": "cuda" if count else "cpu"}
