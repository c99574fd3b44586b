"""Swap areas, and what zram costs: compressed pages live in the memory they are to relieve."""

from __future__ import annotations

from memfit.device.audit_records import Swap
from memfit.device.reading import integer, read_integer, read_text
from memfit.host import Host
from memfit.units import KIB

SWAPS = "/proc/swaps"
_ZRAM = "/sys/block/zram*"
PATHS = (SWAPS, f"{_ZRAM}/mm_stat", f"{_ZRAM}/disksize")


def read_swaps(host: Host) -> tuple[Swap, ...]:
    """Every area in use, and zram devices that hold pages without being swap."""
    found = []
    for swap in parse_swaps(read_text(host, SWAPS) or ""):
        name = swap.name.rpartition("/")[2]
        stat = parse_memory_stat(read_text(host, f"/sys/block/{name}/mm_stat") or "") if swap.kind == "zram" else None
        found.append(swap if stat is None else _with(swap, stat))
    named = {swap.name for swap in found}
    for path in host.glob(f"{_ZRAM}/mm_stat"):
        device = f"/dev/{path.split('/')[3]}"
        stat = parse_memory_stat(read_text(host, path) or "")
        if device not in named and stat is not None and stat[2]:
            size = read_integer(host, path.removesuffix("mm_stat") + "disksize") or 0
            found.append(_with(Swap(name=device, kind="zram, not swap", size_bytes=size, used_bytes=stat[0]), stat))
    return tuple(found)


def parse_swaps(text: str) -> tuple[Swap, ...]:
    """Lines of ``/proc/swaps``: name, kind, size and use in kB, priority. A name may hold spaces, written as octal."""
    found = []
    for line in text.splitlines()[1:]:
        words = line.replace("\\040", "\0").split()
        if len(words) != 5:
            continue
        size, used, priority = (integer(word) for word in words[2:])
        if size is None or used is None or priority is None or size < 0 or used < 0:
            continue
        name = words[0].replace("\0", " ")
        kind = "zram" if name.rpartition("/")[2].startswith("zram") else words[1]
        found.append(Swap(name=name, kind=kind, size_bytes=size * KIB, used_bytes=used * KIB, priority=priority))
    return tuple(found)


def parse_memory_stat(text: str) -> tuple[int, int, int] | None:
    """Original, compressed and used bytes of a zram device's ``mm_stat`` (Documentation/admin-guide/blockdev/zram.rst).

    Used counts what the allocator rounds up; it is what the device costs.
    """
    numbers = [integer(word) for word in text.split()[:3]]
    if len(numbers) < 3 or any(number is None or number < 0 for number in numbers):
        return None
    return numbers[0] or 0, numbers[1] or 0, numbers[2] or 0


def _with(swap: Swap, stat: tuple[int, int, int]) -> Swap:
    return Swap(
        name=swap.name,
        kind=swap.kind,
        size_bytes=swap.size_bytes,
        used_bytes=swap.used_bytes,
        priority=swap.priority,
        original_bytes=stat[0],
        compressed_bytes=stat[1],
        cost_bytes=stat[2],
    )
