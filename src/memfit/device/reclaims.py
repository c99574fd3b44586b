"""What could be taken back, as far as this device's own figures tell: never a constant, always a range.

The low end is memory that is surely only theirs (anonymous pages of processes); the high end is what they hold at most
(their whole share, with what NvMap holds for them). Names are those of the settings that would give the memory back.
"""

from __future__ import annotations

from collections.abc import Iterable

from memfit.device.audit_records import DramTerm, ProcessRow, Reclaim, Swap, When
from memfit.device.ledger_facts import LedgerFacts
from memfit.units import MIB, format_bytes

_SWIOTLB_ENOUGH_BYTES = 4 * MIB
"""What L4T 38 and later boot with (``swiotlb=2048`` slabs of 2 KiB): jetpack-nixos modules/default.nix."""

_CMA_SHARE = 256
"""nvgpu asks for MemTotal/256 at power-on (measured on one AGX Orin 64GB: OE4T/meta-tegra#1613)."""

# services that are safe to stop where nobody uses what they serve; the network, sshd and NVIDIA's power and fan
# services are not among them on purpose
_SERVICES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("snapd", ("snapd",), "no snaps are installed or updated"),
    ("cups", ("cups", "cups-browsed", "snap.cups.cupsd", "snap.cups.cups-browsed"), "no printing"),
    ("bluetooth", ("bluetooth",), "no Bluetooth"),
    ("modem_manager", ("ModemManager",), "no mobile broadband"),
    ("avahi", ("avahi-daemon",), "the device is no longer found as NAME.local"),
    ("packagekit", ("packagekit",), "no software centre; apt works on"),
    ("kerneloops", ("kerneloops",), "crashes are not reported"),
    ("colord", ("colord",), "no colour profiles"),
    ("memory_warning", ("nvmemwarning",), "no warning on the desktop when memory is short"),
    ("camera_daemon", ("nvargus-daemon",), "no CSI camera"),
    ("sensor_hub", ("nvs-service",), "no sensors of the embedded hub"),
    ("pva_allow_list", ("nvidia-pva-allowd",), "no programs on the vision accelerator"),
    (
        "usb_device_mode",
        ("nv-l4t-usb-device-mode", "nv-l4t-usb-device-mode-runtime"),
        "no 192.168.55.1 over USB: keep it where that is the way in",
    ),
)


def find_reclaims(facts: LedgerFacts, terms: tuple[DramTerm, ...]) -> tuple[Reclaim, ...]:
    """Everything that could be taken back here, the most promising first; what would give nothing is left out."""
    sizes = {name: sum(term.bytes for term in terms if term.name == name) for name in {term.name for term in terms}}
    found = [
        _desktop(facts),
        *_services(facts),
        _processes(facts, "audio", "audio", "no sound", "live"),
        _processes(facts, "idle_python", "idle python", "interpreters without a unit that compute nothing", "live"),
        _swiotlb(facts, sizes.get("swiotlb", 0)),
        _crash(facts, sizes.get("crashkernel", 0)),
        _contiguous(facts),
        *_carveouts(facts),
        _page_cache(facts, sizes.get("clean_files", 0)),
        _pool(sizes.get("nvmap_pool", 0)),
        _zram(facts.swaps),
    ]
    kept = [reclaim for reclaim in found if reclaim is not None and reclaim.high_bytes > 0]
    # what is in MemAvailable already comes last: taking it back gains nothing that an application would not get
    return tuple(sorted(kept, key=lambda reclaim: (reclaim.name == "page_cache", -reclaim.high_bytes, reclaim.name)))


def _desktop(facts: LedgerFacts) -> Reclaim | None:
    """The display manager and its sessions, by process: aliases of one unit (gdm, gdm3, display-manager) count once."""
    cost = "no local display; `systemctl set-default multi-user.target` keeps it off"
    return _processes(facts, "desktop", "desktop", cost, "live")


def _processes(facts: LedgerFacts, name: str, role: str, cost: str, when: When) -> Reclaim | None:
    rows = [row for row in facts.processes if row.role == role]
    return _held(facts, name, rows, cost, when)


def _services(facts: LedgerFacts) -> list[Reclaim | None]:
    found = []
    for name, units, cost in _SERVICES:
        rows = [row for row in facts.processes if (row.unit or "").removesuffix(".service") in units]
        found.append(_held(facts, name, rows, cost, "live"))
    return found


def _held(facts: LedgerFacts, name: str, rows: Iterable[ProcessRow], cost: str, when: When) -> Reclaim | None:
    rows = list(rows)
    if not rows:
        return None
    pids = {row.pid for row in rows}
    clients = facts.nvmap.clients if facts.nvmap is not None else ()
    on_gpu = sum(client.bytes for client in clients if client.pid in pids)
    share = sum(row.rss_bytes if row.pss_bytes is None else row.pss_bytes for row in rows)
    told = f", {format_bytes(on_gpu)} in NvMap" if on_gpu else ""
    count = "1 process" if len(rows) == 1 else f"{len(rows)} processes"
    largest = ", ".join(dict.fromkeys(row.name for row in rows[:3]))
    return Reclaim(
        name=name,
        low_bytes=sum(row.anonymous_bytes for row in rows),
        high_bytes=share + on_gpu,
        when=when,
        cost=cost,
        evidence=f"{count} ({largest}): {format_bytes(share)} PSS{told}",
    )


def _swiotlb(facts: LedgerFacts, size: int) -> Reclaim | None:
    # only where an IOMMU maps for every device that matters, as on Tegra; elsewhere the buffers may be needed
    if not facts.tegra or size <= _SWIOTLB_ENOUGH_BYTES:
        return None
    most = facts.bounce.most_used_bytes if facts.bounce is not None else None
    used = facts.bounce.used_bytes if facts.bounce is not None else None
    needed = max(most or 0, used or 0)
    gain = max(0, size - max(_SWIOTLB_ENOUGH_BYTES, 2 * needed))
    known = used is not None
    return Reclaim(
        name="swiotlb",
        low_bytes=gain if known else 0,
        high_bytes=gain,
        when="reboot",
        cost="devices that no IOMMU maps may fail with 'swiotlb buffer is full'",
        evidence=f"{format_bytes(size)}, {format_bytes(needed)} used at most" if known else format_bytes(size),
    )


def _crash(facts: LedgerFacts, size: int) -> Reclaim | None:
    if not size:
        return None
    live = facts.crash is not None and not facts.crash.loaded
    return Reclaim(
        name="crashkernel",
        low_bytes=size,
        high_bytes=size,
        when="live" if live else "reboot",
        cost="no memory dump after a kernel panic",
        evidence="/sys/kernel/kexec_crash_size" if facts.crash is not None else "the boot log",
    )


def _contiguous(facts: LedgerFacts) -> Reclaim | None:
    memory = facts.moment.meminfo
    total, free = memory.get("CmaTotal", 0), memory.get("CmaFree", 0)
    if not facts.nvgpu or not total:
        return None
    needed = max(memory["MemTotal"] // _CMA_SHARE, sum(area.used_bytes for area in facts.cma))
    stands = f"CmaTotal {format_bytes(total)}, {format_bytes(free)} free, at least {format_bytes(needed)} needed"
    return Reclaim(
        name="cma",
        low_bytes=0,
        # CMA lies inside MemTotal: only what of it is free is lost to NvMap, and only that can be won for it
        high_bytes=max(0, min(free, total - needed)),
        when="reboot",
        cost="below what the GPU asks for at power-on it does not start, and how much that is shows only when it does",
        evidence=f"{stands}; MemTotal does not change",
    )


def _carveouts(facts: LedgerFacts) -> list[Reclaim]:
    proven = "the published recipe for p3767: `memfit bsp patch`, then a reflash, with a way back that was tried"
    # Thor's boot configuration is another one, and memfit.bsp does not know it
    by = "`memfit bsp patch --experimental`, then" if facts.nvgpu else "by hand, and"
    unproven = f"experimental: nobody is known to have booted without it; {by} a reflash"
    costs = {"display": "no display output", "camera": "no CSI camera", "video": "no protected video"}
    # the recipe was published for Orin NX and Nano alone
    on_p3767 = not any(entry.use == "video" for entry in facts.configuration)
    found = []
    for use, cost in costs.items():
        entries = [entry for entry in facts.configuration if entry.use == use]
        size = sum(entry.bytes for entry in entries)
        names = ", ".join(f"{entry.name} {entry.bytes / MIB:g}" for entry in entries)
        found.append(
            Reclaim(
                name=f"carveouts_{use}",
                low_bytes=size if on_p3767 else 0,
                high_bytes=size,
                when="reflash",
                cost=f"{cost}; {proven if on_p3767 else unproven}",
                evidence=f"boot configuration, MiB: {names}",
            )
        )
    return found


def _page_cache(facts: LedgerFacts, clean: int) -> Reclaim:
    inactive = facts.moment.meminfo.get("Inactive(file)", 0)
    return Reclaim(
        name="page_cache",
        low_bytes=min(inactive, clean),
        high_bytes=clean,
        when="live",
        cost="files are read again; counted in MemAvailable already, and freed by itself when an application asks",
        evidence="clean files that nobody maps; the low end is what has not been used lately",
    )


def _pool(size: int) -> Reclaim:
    return Reclaim(
        name="nvmap_pool",
        low_bytes=size,
        high_bytes=size,
        when="live",
        cost="the next GPU allocations are slower; not counted in MemAvailable",
        evidence="NvMap's freed pages; dropping caches returns them",
    )


def _zram(swaps: tuple[Swap, ...]) -> Reclaim | None:
    devices = [swap for swap in swaps if swap.kind == "zram" and swap.cost_bytes is not None]
    cost = sum(swap.cost_bytes or 0 for swap in devices)
    stored = sum(swap.original_bytes or 0 for swap in devices)
    # what is stored must go back to memory first: only what zram wastes is a gain
    gain = cost - stored
    return Reclaim(
        name="zram",
        low_bytes=gain,
        high_bytes=gain,
        when="live",
        cost="no swap for anonymous memory; pinned GPU memory cannot be swapped anyway",
        evidence=f"{format_bytes(cost)} for {format_bytes(stored)} of pages",
    )
