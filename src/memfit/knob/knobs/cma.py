"""The pool of contiguous memory (CMA) no larger than its drivers need: what is free of it, NvMap cannot allocate.

It lies inside MemTotal, and what is free of it counts in MemAvailable, so neither changes: with 208 MiB less of it
MemTotal was the same and MemAvailable within 0.3 MiB (Linux 6.1: docs/booted.md). What CUDA can allocate on L4T is
MemAvailable − CmaFree (``nvmap_ioctl.c`` of R36), and that grows by the free part that goes. nvgpu takes its own share
at power-on and does not start without it: never below that, and never without ``--risk``.
"""

from __future__ import annotations

import msgspec

from memfit.device.audit_records import Audit
from memfit.device.facts import boot_log, contiguous_memory
from memfit.device.meminfo import parse_meminfo
from memfit.device.reading import read_text
from memfit.host import Host
from memfit.knob._asked import size_of
from memfit.knob._command_line import PATHS, is_tegra
from memfit.knob._knob import Knob
from memfit.knob.records import Effect, Gain, Wish, Words, not_here
from memfit.units import MIB, format_bytes

_TAKES = "a size, such as 128MiB: never less than what is needed"
_SHARE = 256
"""nvgpu asks for MemTotal/256 at power-on (257,490,944 B on one AGX Orin 64GB: OE4T/meta-tegra#1613)."""
_MARGIN_BYTES = 32 * MIB
_STEP_BYTES = 4 * MIB
"""A pool's alignment with pages of 4 KiB: CMA_MIN_ALIGNMENT_BYTES, a page block of 2 MiB, before 5.18 of 4 MiB."""
_HIGHEST_BYTES = 950 * MIB
"""``cma=`` must find its place below 4 GiB: more gave an Orin Nano no pool at all."""
_WITHOUT_NVGPU = "tegra264"  # Thor: the NVIDIA driver, as on other machines
_DEFAULTS = ("linux,cma", "reserved")  # what the kernel calls the pool that cma= sizes
_MEMINFO = "/proc/meminfo"


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """CMA on one machine.

    Attributes:
        size_bytes: of the pool that ``cma=`` sizes. free_bytes: of all pools.
        needed_bytes: the more of what the GPU asks for and what drivers hold; a bound where nobody could count that.
        after_bytes: that with a margin.
        counted: drivers' share was counted. failed: the log has an allocation that the pool could not give.
        nvgpu: the GPU takes its memory from it.
        asked: somebody asks for ``after_bytes``.
    """

    size_bytes: int
    free_bytes: int
    needed_bytes: int
    after_bytes: int
    counted: bool
    failed: bool
    nvgpu: bool
    asked: bool = False


def after(needed_bytes: int) -> int:
    """What is needed with a margin, in whole steps."""
    return -(-(needed_bytes + _MARGIN_BYTES) // _STEP_BYTES) * _STEP_BYTES


def _read(host: Host, audit: Audit) -> Pool | None:
    memory = parse_meminfo(read_text(host, _MEMINFO) or "")
    total, free = memory.get("CmaTotal", 0), memory.get("CmaFree", 0)
    if not total:
        return None
    pools, log = contiguous_memory.FACT.read(host), boot_log.FACT.read(host)
    own = next((pool for pool in pools if pool.name in _DEFAULTS), None)
    size = own.size_bytes if own is not None else total
    # without debugfs: what movable pages of others hold counts as if it were the drivers'
    used = own.used_bytes if own is not None else total - free
    nvgpu = is_tegra(audit) and not any(word.endswith(_WITHOUT_NVGPU) for word in audit.compatible)
    needed = max(memory.get("MemTotal", 0) // _SHARE, used)
    return Pool(
        size_bytes=size,
        free_bytes=free,
        needed_bytes=needed,
        after_bytes=after(needed),
        counted=own is not None,
        failed=log is not None and log.cma_failure_bytes is not None,
        nvgpu=nvgpu,
    )


def _effect(state: Pool) -> Effect:
    if state.asked and state.after_bytes < state.needed_bytes:
        return not_here(f"{format_bytes(state.after_bytes)} are less than {format_bytes(state.needed_bytes)} needed")
    if state.asked and state.after_bytes == state.size_bytes:
        return not_here(f"it is {format_bytes(state.size_bytes)} already")
    if state.asked and state.after_bytes > state.size_bytes:
        return _larger(state)
    if state.failed:
        return not_here("the boot log has an allocation that the pool could not give: it is too small already")
    if state.after_bytes >= state.size_bytes:
        return not_here(f"{format_bytes(state.size_bytes)}, and {format_bytes(state.after_bytes)} are needed")
    if state.after_bytes > _HIGHEST_BYTES:
        return not_here(f"{format_bytes(state.after_bytes)} may find no place below 4 GiB")
    won = min(state.free_bytes, state.size_bytes - state.after_bytes)
    if not won:
        return not_here("nothing of it is free: it would win nothing")
    stands = f"{format_bytes(state.size_bytes)}, {format_bytes(state.free_bytes)} free"
    bound = "" if state.counted else " at most"
    told = f"{stands}, {format_bytes(state.needed_bytes)} needed{bound}; MemTotal and MemAvailable do not change"
    cuda = f", CUDA can allocate {format_bytes(won)} more" if state.nvgpu else ""
    gpu = "if the GPU asks for more at power-on it does not start, and building TensorRT engines may need more"
    return Effect(
        applies=True,
        gain=Gain(cuda_bytes=won if state.nvgpu else None, evidence=told + cuda),
        when="reboot",
        cost=gpu if state.nvgpu else "drivers that ask for contiguous memory may fail: cameras, displays, codecs",
        risk="high" if state.nvgpu else "low",
        saves=state.nvgpu,
    )


def _larger(state: Pool) -> Effect:
    """What more of it there is, NvMap cannot allocate while it is free."""
    if state.after_bytes > _HIGHEST_BYTES:
        return not_here(f"{format_bytes(state.after_bytes)} may find no place below 4 GiB")
    more = state.after_bytes - state.size_bytes
    told = f"{format_bytes(state.size_bytes)}, {format_bytes(state.after_bytes)} then; MemTotal does not change"
    return Effect(
        applies=True,
        gain=Gain(cuda_bytes=-more if state.nvgpu else None, evidence=told),
        when="reboot",
        cost="what is free of the pool CUDA cannot allocate" if state.nvgpu else "what is free of it drivers may need",
        risk="low",
        saves=False,
    )


def at(state: Pool, wish: Wish) -> Pool:
    """With the size that somebody asks for, in whole steps."""
    size = size_of("cma", wish.value, _TAKES, least_bytes=_STEP_BYTES)
    return msgspec.structs.replace(state, after_bytes=-(-size // _STEP_BYTES) * _STEP_BYTES, asked=True)


def _words_for(after_bytes: int) -> Words:
    return {"cma": f"{after_bytes // MIB}M"}


KNOB = Knob(
    summary="a pool of contiguous memory (CMA) of the size that is needed",
    layer="boot",
    paths=(*PATHS, _MEMINFO, *contiguous_memory.FACT.paths, *boot_log.FACT.paths),
    read=_read,
    effect=_effect,
    words=lambda state: _words_for(state.after_bytes),
    takes=_TAKES,
    at=at,
    aliases=("contiguous_memory",),
)
