"""Boot without swap in compressed memory, where little lies in it: what idles stays in memory."""

from __future__ import annotations

import msgspec

from memfit.device.audit_records import Audit
from memfit.host import Host
from memfit.knob._knob import Knob
from memfit.knob._units import SYSTEM, UnitFile, find_units, unit_paths
from memfit.knob.changes import Change, LinkChange
from memfit.knob.records import Effect, Gain, not_here
from memfit.units import format_bytes

_SUMMARY = "boot without swap in compressed memory"
# NVIDIA's, Ubuntu's zram-config, Debian's zram-tools
_UNITS = ("nvzramconfig.service", "zram-config.service", "zramswap.service")
_GENERATORS = ("/etc/systemd/zram-generator.conf", "/usr/lib/systemd/zram-generator.conf")
_PAGE_BYTES = 4096
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
        available_bytes: MemAvailable.
    """

    units: tuple[UnitFile, ...]
    generator: str = ""
    devices: int = 0
    size_bytes: int = 0
    stored_bytes: int = 0
    cost_bytes: int = 0
    available_bytes: int = 0

    @property
    def ratio(self) -> float | None:
        """The kernel's own: what lies there to what it takes; None where too little does."""
        if self.stored_bytes * _IDLE_SHARE <= self.size_bytes:
            return None
        return self.stored_bytes / max(1, self.cost_bytes)


def read(host: Host, audit: Audit) -> Zram | None:
    """None where nothing sets it up and none is there."""
    units = find_units(host, _UNITS)
    areas = [swap for swap in audit.swaps if swap.kind == "zram"]
    generator = next((path for path in _GENERATORS if host.glob(path)), "")
    if not (units or areas or generator):
        return None
    return Zram(
        units=units,
        generator=generator,
        devices=len(areas),
        size_bytes=sum(swap.size_bytes for swap in areas),
        stored_bytes=sum(swap.used_bytes if swap.original_bytes is None else swap.original_bytes for swap in areas),
        cost_bytes=sum(swap.cost_bytes or 0 for swap in areas),
        available_bytes=audit.available_bytes or 0,
    )


def effect(state: Zram) -> Effect:
    """What a boot without it gives; nothing is taken out of it now, which would only fill memory."""
    if not change(state):
        if state.generator:
            return not_here(f"{state.generator} sets it up, and is no unit to mask")
        return not_here("masked already" if any(unit.masked for unit in state.units) else "no unit sets it up")
    if not state.devices:
        return not_here("none is in use here, so how well it compresses was not measured")
    said = f"{state.devices} devices hold {format_bytes(state.stored_bytes)} in {format_bytes(state.cost_bytes)}"
    ratio = state.ratio
    if ratio is not None and ratio >= _POOR_RATIO:
        return not_here(f"{said} ({ratio:.1f} : 1): it gives more than it takes")
    if state.stored_bytes > state.available_bytes // 2:
        return not_here(f"{said}, for which there is hardly room without it")
    pages = state.size_bytes // _PAGE_BYTES
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
            f"{format_bytes(state.size_bytes)} of size",
        ),
        when="reboot",
        cost="no swap: what idles stays in memory, and where memory runs out the kernel kills sooner; "
        "pinned GPU memory was never swapped",
        risk="low",
    )


def change(state: Zram) -> tuple[Change, ...]:
    """Links that mask what sets it up."""
    open_ = [unit for unit in state.units if not (unit.masked or unit.own)]
    return tuple(LinkChange(path=f"{SYSTEM}/{unit.name}", target="/dev/null", why=_SUMMARY) for unit in open_)


KNOB = Knob(
    summary=_SUMMARY,
    layer="kernel",
    paths=(*unit_paths(_UNITS), *_GENERATORS),
    read=read,
    effect=effect,
    change=change,
    aliases=("nvzramconfig",),
)
