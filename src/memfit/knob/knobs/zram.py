"""Swap in compressed memory, of a size that is asked for, or none: where little lies there it only costs."""

from __future__ import annotations

import msgspec

from memfit.device.audit_records import Audit
from memfit.host import Host
from memfit.knob._idle import idle_bytes, idle_names
from memfit.knob._knob import Knob
from memfit.knob._units import SYSTEM, UnitFile, find_units, unit_paths
from memfit.knob._zram import ALGORITHMS, CONTROL, MODULES, TAKES, packed_by, parse_wish, read_algorithms, set_up
from memfit.knob._zram_kernels import Kernel, read_kernels
from memfit.knob.changes import Change, LinkChange
from memfit.knob.records import PAGE_BYTES, Compressed, Effect, Gain, Wish, not_here
from memfit.units import format_bytes

_SUMMARY = "boot without swap in compressed memory"
# NVIDIA's, Ubuntu's zram-config, Debian's zram-tools
_UNITS = ("nvzramconfig.service", "zram-config.service", "zramswap.service")
_GENERATORS = ("/etc/systemd/zram-generator.conf", "/usr/lib/systemd/zram-generator.conf")
_ENTRY_BYTES, _TRACKED_ENTRY_BYTES = 16 + 3, 24 + 3
"""Of each page of a device's size, whether anything lies in it or not: ``struct zram_table_entry``, drivers/block/zram/
zram_drv.h of 5.10, 5.15 and 6.8, the larger with CONFIG_ZRAM_MEMORY_TRACKING; and of all swap a byte for how often it
is used (``swap_map``, mm/swapfile.c) and two for whose it is (mm/swap_cgroup.c)."""
_POOR_RATIO = 1.5
"""Below it, a page that goes there frees less than a third of itself, and costs the time to pack it."""
_IDLE_SHARE = 100
"""Of its size, what must lie in it for its ratio to mean anything."""


class Zram(msgspec.Struct, frozen=True, kw_only=True):
    """Compressed swap of one machine, all devices together.

    Attributes:
        units: what sets it up. generator: a file that does instead; empty where there is none.
        devices: how many. size_bytes: what they may hold.
        stored_bytes: what lies in them, as it was. cost_bytes: what that takes now.
        available_bytes: MemAvailable. memory_bytes: MemTotal. idle_bytes: what could go there, of programs (``idle``).
        algorithm: in use. algorithms: that the kernel says it has; none where it does not say.
        asked_bytes: the size that somebody asks for; 0 where it shall go. asked_algorithm: with it.
        kernels: of an image, with what each has; None where a machine runs, whose kernel says it itself.
        weights: as they would lie there; None where nobody asked about any.
    """

    units: tuple[UnitFile, ...]
    generator: str = ""
    devices: int = 0
    size_bytes: int = 0
    stored_bytes: int = 0
    cost_bytes: int = 0
    available_bytes: int = 0
    memory_bytes: int = 0
    idle_bytes: int = 0
    idle: str = ""
    algorithm: str = ""
    algorithms: tuple[str, ...] = ()
    asked_bytes: int = 0
    asked_algorithm: str = ""
    kernels: tuple[Kernel, ...] | None = None
    weights: Compressed | None = None

    @property
    def ratio(self) -> float | None:
        """The kernel's own: what lies there to what it takes; None where too little does."""
        if self.stored_bytes * _IDLE_SHARE <= self.size_bytes:
            return None
        return self.stored_bytes / max(1, self.cost_bytes)


def read(host: Host, audit: Audit) -> Zram | None:
    """None where nothing sets it up, none is there, and the kernel has none."""
    units = find_units(host, _UNITS)
    areas = [swap for swap in audit.swaps if swap.kind == "zram"]
    generator = next((path for path in _GENERATORS if host.glob(path)), "")
    if not (units or areas or generator or host.glob(CONTROL) or host.glob(MODULES)):
        return None
    algorithm, algorithms = read_algorithms(host)
    return Zram(
        units=units,
        generator=generator,
        devices=len(areas),
        size_bytes=sum(swap.size_bytes for swap in areas),
        stored_bytes=sum(swap.used_bytes if swap.original_bytes is None else swap.original_bytes for swap in areas),
        cost_bytes=sum(swap.cost_bytes or 0 for swap in areas),
        available_bytes=audit.available_bytes or 0,
        memory_bytes=audit.linux_bytes or 0,
        idle_bytes=idle_bytes(audit),
        idle=idle_names(audit),
        algorithm=algorithm,
        algorithms=algorithms,
        kernels=None if host.live else read_kernels(host),
    )


def at(state: Zram, wish: Wish) -> Zram:
    """With a size and an algorithm, and with what was measured of weights."""
    size, algorithm = 0, state.algorithm
    if wish.value:
        size, algorithm = parse_wish(
            wish.value, chosen=state.algorithm, algorithms=state.algorithms, memory_bytes=state.memory_bytes
        )
    weights = packed_by(wish.weights, algorithm)
    return msgspec.structs.replace(state, asked_bytes=size, asked_algorithm=algorithm, weights=weights)


def effect(state: Zram) -> Effect:
    """What a boot without it gives, or with another size; nothing is taken out of it now, which would fill memory."""
    if state.asked_bytes:
        return _asked(state)
    if not change(state):
        if state.generator:
            return not_here(f"{state.generator} sets it up, and is no unit to mask")
        return not_here("masked already" if any(unit.masked for unit in state.units) else "no unit sets it up")
    if not state.devices:
        return not_here("none is in use here, so how well it compresses was not measured")
    said = _said(state)
    ratio = state.ratio
    if ratio is not None and ratio >= _POOR_RATIO:
        return not_here(f"{said} ({ratio:.1f} : 1): it gives more than it takes")
    if state.stored_bytes > state.available_bytes // 2:
        return not_here(f"{said}, for which there is hardly room without it")
    pages = state.size_bytes // PAGE_BYTES
    # after the boot, what lies in it now lies in memory
    held = state.cost_bytes - state.stored_bytes
    likely = held + pages * _ENTRY_BYTES
    if likely <= 0:
        return not_here(f"{said}: without it there would be no more room")
    return Effect(
        applies=True,
        gain=Gain(
            low_bytes=held,
            likely_bytes=likely,
            high_bytes=held + pages * _TRACKED_ENTRY_BYTES,
            evidence=f"{said}; their tables take {format_bytes(pages * _ENTRY_BYTES)} for "
            f"{format_bytes(state.size_bytes)} of size{_of_weights(state)}",
        ),
        when="reboot",
        cost="no swap: what idles stays in memory, and where memory runs out the kernel kills sooner; "
        f"pinned GPU memory was never swapped{_poor(state)}",
        risk="low",
    )


def _asked(state: Zram) -> Effect:
    """Another size: its tables, what lies there now, and at best what idles at the ratio that was measured."""
    own = next((unit.name for unit in state.units if unit.own), None)
    if own is not None and not state.generator:
        return not_here(f"{own} is a file of somebody's own in {SYSTEM}, which no link can mask")
    without = _without(state)
    if without:
        return not_here(without)
    # swap's own first page is no part of the size that /proc/swaps tells
    wanted = (state.asked_bytes - PAGE_BYTES, state.asked_algorithm)
    if state.devices == 1 and (state.size_bytes, state.algorithm) == wanted:
        return not_here(f"it is {format_bytes(state.size_bytes)} with {state.algorithm} already")
    weights = state.weights
    if weights is not None and weights.ratio < _POOR_RATIO and state.asked_bytes > state.size_bytes:
        return not_here(
            f"{weights.file} packs {weights.ratio:.2f} : 1 by {weights.algorithm} ({weights.pages} of its pages): "
            "those weights would not shrink there, and mapped from a file they need no swap; without --weights it is "
            "set up for what idles"
        )
    tables = [
        (state.size_bytes - state.asked_bytes) // PAGE_BYTES * entry for entry in (_ENTRY_BYTES, _TRACKED_ENTRY_BYTES)
    ]
    out = max(0, state.stored_bytes - state.asked_bytes)  # has no place there any more
    ratio = state.ratio or 1.0
    back = -round(out * (1 - 1 / ratio)) if ratio > 1 else 0
    room = max(0, state.asked_bytes - state.stored_bytes)
    best, source = _best(state, room)
    return Effect(
        applies=True,
        gain=Gain(
            low_bytes=min(tables) + back,
            likely_bytes=tables[0] + back,
            high_bytes=max(tables) + back + best,
            evidence=f"{_said(state)}; tables of {_ENTRY_BYTES} to {_TRACKED_ENTRY_BYTES} B a page, for "
            f"{format_bytes(state.size_bytes)} now and {format_bytes(state.asked_bytes)} then; {source}"
            f"{_of_weights(state)}",
        ),
        when="reboot",
        cost=f"what goes there is packed with {state.asked_algorithm} and unpacked when it is wanted, which takes a "
        f"core's time; pinned GPU memory is never swapped{_poor(state)}{_unsure(state)}",
        risk="low",
        saves=False,
    )


def _without(state: Zram) -> str:
    """Why a boot of this image would make no device; empty where one could."""
    kernels, algorithm = state.kernels or (), state.asked_algorithm
    if not kernels or not all(algorithm in kernel.lacks for kernel in kernels):
        return ""
    has = ", ".join(sorted(set().union(*(kernel.has for kernel in kernels)))) or "none that zram knows"
    names = ", ".join(kernel.version for kernel in kernels)
    return (
        f"the kernel of this image ({names}) has no {algorithm}, so a boot would make no compressed swap; it has {has}"
    )


def _unsure(state: Zram) -> str:
    """For the cost, where not every kernel is known to have the algorithm: without it a boot makes no device."""
    algorithm, kernels = state.asked_algorithm, state.kernels
    if kernels is None:
        untold = "" if state.algorithms else "this kernel, which says it once zram is loaded,"
        lacking = ""
    else:
        untold = ", ".join(kernel.version for kernel in kernels if algorithm not in kernel.has | kernel.lacks)
        untold = untold or ("" if kernels else "the kernel of this image")
        lacking = ", ".join(kernel.version for kernel in kernels if algorithm in kernel.lacks)
    told = [f"{lacking} has no {algorithm}"] if lacking else []
    told += [f"whether {untold} has {algorithm} could not be checked"] if untold else []
    return f"; {', and '.join(told)}: without it a boot makes no compressed swap" if told else ""


def _best(state: Zram, room: int) -> tuple[int, str]:
    """What could be won by what is not there yet, with the ratio that it rests on; in words, too."""
    ratio = state.ratio
    if ratio is not None:
        fits = min(room, state.idle_bytes)
        told = (
            f"at best {format_bytes(fits)} of what idles ({state.idle}) goes there too, at the {ratio:.1f} : 1 of now"
        )
        return max(0, round(fits * (1 - 1 / ratio))), told
    weights = state.weights
    if weights is not None and weights.ratio >= _POOR_RATIO:
        fits = min(room, weights.file_bytes)
        return round(fits * (1 - 1 / weights.ratio)), f"at best {format_bytes(fits)} of those weights go there"
    told = "" if weights is not None else " (--weights MODEL packs a model's)"
    return 0, f"how well what idles packs was not measured here, so nothing is counted for it{told}"


def _said(state: Zram) -> str:
    if not state.devices:
        return "none is in use"
    return f"{state.devices} devices hold {format_bytes(state.stored_bytes)} in {format_bytes(state.cost_bytes)}"


def _of_weights(state: Zram) -> str:
    one = state.weights
    if one is None:
        return ""
    return f"; {one.file} packs {one.ratio:.2f} : 1 by {one.algorithm} ({one.pages} of its pages)"


def _poor(state: Zram) -> str:
    """For the cost, where weights were tried in vain."""
    one = state.weights
    return f"; {one.file} would not shrink there ({one.ratio:.2f} : 1)" if one and one.ratio < _POOR_RATIO else ""


def change(state: Zram) -> tuple[Change, ...]:
    """Links that mask what sets it up, and what sets it up instead."""
    open_ = [unit for unit in state.units if not (unit.masked or unit.own)]
    masks = tuple(LinkChange(path=f"{SYSTEM}/{unit.name}", target="/dev/null", why=_SUMMARY) for unit in open_)
    if not state.asked_bytes:
        return masks
    made = set_up(state.asked_bytes, state.asked_algorithm, generator=bool(state.generator))
    return made if state.generator else (*masks, *made)


KNOB = Knob(
    summary="boot without swap in compressed memory, or with one of another size",
    layer="kernel",
    paths=(*unit_paths(_UNITS), *_GENERATORS, CONTROL, MODULES, ALGORITHMS),
    read=read,
    effect=effect,
    change=change,
    takes=TAKES,
    at=at,
    aliases=("nvzramconfig",),
)
