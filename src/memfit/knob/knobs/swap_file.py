"""Swap on NVMe, in a file: what idles makes room for models, more slowly than in memory and at the cost of wear."""

from __future__ import annotations

import msgspec

from memfit.device.audit_records import Audit
from memfit.device.mounts import MOUNTS, parse_mounts
from memfit.device.reading import read_text
from memfit.host import Host
from memfit.knob._asked import size_of
from memfit.knob._idle import idle_bytes, idle_names
from memfit.knob._knob import Knob
from memfit.knob._units import SYSTEM
from memfit.knob.changes import Change, FileChange, LinkChange, RunChange, SpaceChange
from memfit.knob.records import Effect, Gain, Wish, not_here
from memfit.units import GIB, MIB, format_bytes

_TAKES = "a size, such as 4GiB"
_SUMMARY = "swap to a file on NVMe"
_PATH = "/swap.memfit"
_UNIT = "swap.memfit.swap"
"""As systemd calls it, whether it likes another name or not: by the path (systemd-escape -p; systemd.swap(5))."""
_TEXT = (
    "# memfit wrote this file; memfit undo takes it back\n"
    f"[Unit]\nDescription=Swap on NVMe, as memfit was asked for\n\n[Swap]\nWhat={_PATH}\n"
)
_SYSTEMS = ("ext4", "xfs")
"""File systems where room that was allocated and never written can be swapped to: swapon(8), "Files with holes"; both
map a swap file by its extents (iomap_swapfile_activate and fs/ext4/inode.c)."""
_WORN = {"emmc": "eMMC", "sd": "an SD card", "usb": "a USB stick or drive"}
_STEP_BYTES = GIB
_LEAST_BYTES = 64 * MIB
_ROOM_SHARE = 20
"""Of the file system, what must stay free: a twentieth is what ext4 keeps for root, too (mke2fs(8), -m)."""


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """The disk that ``/`` is on, and what there is to swap.

    Attributes:
        kind: of device, as ``Storage`` has it. system: of files.
        free_bytes, total_bytes: of the file system.
        swaps: areas on disks that are there. on_zram: compressed swap is there too.
        idle_bytes: what could go there, of programs (``idle``).
        size_bytes: of the file that shall be.
    """

    kind: str
    system: str
    free_bytes: int
    total_bytes: int
    swaps: tuple[str, ...]
    on_zram: bool
    idle_bytes: int
    idle: str
    size_bytes: int


def read(host: Host, audit: Audit) -> Disk | None:
    """None on an image, and where nobody knows what ``/`` is on."""
    disk = next((disk for disk in audit.storage if disk.mount == "/"), None)
    if not host.live or not audit.terms or disk is None:
        return None
    mounts = parse_mounts(read_text(host, MOUNTS, most=1 << 20) or "")
    systems = [mount.system for mount in mounts if mount.mount == "/"]  # a later mount hides an earlier one
    idle = idle_bytes(audit)
    return Disk(
        kind=disk.kind,
        system=systems[-1] if systems else "",
        free_bytes=disk.free_bytes,
        total_bytes=disk.total_bytes,
        swaps=tuple(swap.name for swap in audit.swaps if swap.kind in ("file", "partition")),
        on_zram=any(swap.kind == "zram" for swap in audit.swaps),
        idle_bytes=idle,
        idle=idle_names(audit),
        # twice of what idles now: it is not what idles when memory runs out
        size_bytes=max(1, -(-2 * idle // _STEP_BYTES)) * _STEP_BYTES,
    )


def at(state: Disk, wish: Wish) -> Disk:
    """With the size that somebody asks for, in whole MiB."""
    size = size_of("swap_file", wish.value, _TAKES, least_bytes=_LEAST_BYTES)
    return msgspec.structs.replace(state, size_bytes=-(-size // MIB) * MIB)


def effect(state: Disk) -> Effect:
    """Room for what idles, once memory is short; nothing is won before that, so it is done by name."""
    reason = _why_not(state)
    if reason:
        return not_here(reason)
    won = min(state.idle_bytes, state.size_bytes)
    after = "; it is used once compressed swap is full" if state.on_zram else ""
    return Effect(
        applies=True,
        gain=Gain(
            high_bytes=won,
            evidence=f"nothing before memory is short; then up to {format_bytes(won)} of what idles ({state.idle}) can "
            f"go there: a bound, as nobody counts what of it is used. {format_bytes(state.size_bytes)} of "
            f"{format_bytes(state.free_bytes)} free{after}",
        ),
        cost="what is swapped comes back more slowly, and writing wears the drive; pinned GPU memory is never swapped; "
        "undo needs room in memory for what lies there by then",
        risk="low",
        saves=False,
    )


def change(state: Disk) -> tuple[Change, ...]:
    """The file and its use now, and a unit for every boot."""
    return (
        FileChange(path=f"{SYSTEM}/{_UNIT}", content=_TEXT.encode(), why=_SUMMARY),
        LinkChange(path=f"{SYSTEM}/swap.target.wants/{_UNIT}", target=f"../{_UNIT}", why=_SUMMARY),
        SpaceChange(path=_PATH, bytes=state.size_bytes, why=_SUMMARY),
        RunChange(do=("mkswap", _PATH), undo=(), why=_SUMMARY),
        RunChange(do=("swapon", _PATH), undo=("swapoff", _PATH), lasting=True, why=_SUMMARY),
    )


def _why_not(state: Disk) -> str:
    if state.swaps:
        return f"there is swap on a disk already: {', '.join(state.swaps)}"
    if state.kind in _WORN:
        return f"/ is on {_WORN[state.kind]}, which swapping wears out"
    if state.kind == "network":
        return "/ is on the network, which needs memory itself to be written to"
    if state.kind != "nvme":
        return f"/ is not known to be on an NVMe drive ({state.kind})"
    if state.system not in _SYSTEMS:
        return f"/ is {state.system or 'unknown'}: a swap file is sure to work on {' and '.join(_SYSTEMS)} alone"
    if state.free_bytes - state.size_bytes < state.total_bytes // _ROOM_SHARE:
        least, size = format_bytes(state.total_bytes // _ROOM_SHARE), format_bytes(state.size_bytes)
        return f"{format_bytes(state.free_bytes)} are free: {size} would leave less than {least}"
    return ""


KNOB = Knob(
    summary=_SUMMARY,
    layer="user",
    paths=(MOUNTS,),
    read=read,
    effect=effect,
    change=change,
    takes=_TAKES,
    at=at,
    aliases=("swapfile", "swap"),
)
