"""Swap in compressed memory as memfit sets it up where it is asked for a size: one device, at the next boot.

Where systemd's zram-generator is what makes the devices, it is told by a drop-in; elsewhere the units that do are
masked, and a service of memfit's own takes their place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from memfit.errors import ProbeError, UsageError
from memfit.host import Host
from memfit.knob._asked import no_such, size_of
from memfit.knob._units import SYSTEM
from memfit.knob.changes import Change, FileChange, LinkChange
from memfit.knob.records import Compressed
from memfit.units import GIB, MIB

TAKES = "a size, and an algorithm if need be: 2GiB or 2GiB,zstd"
UNIT = "memfit-zram.service"
GENERATOR_DROP_IN = "/etc/systemd/zram-generator.conf.d/60-memfit.conf"
CONTROL, ALGORITHMS = "/sys/class/zram-control", "/sys/block/zram0/comp_algorithm"
# a module that is not loaded yet; of its folder only the names
MODULES = "/lib/modules/*/kernel/drivers/block/zram"
KNOWN = ("842", "deflate", "lz4", "lz4hc", "lzo", "lzo-rle", "zstd")
"""Every algorithm of zram's own (drivers/block/zram/Kconfig); which of them a kernel has it says itself."""
_USUAL = "lzo-rle"
"""CONFIG_ZRAM_DEF_COMP of the kernels from 5.1 on, those of L4T too."""
_LEAST_BYTES = 16 * MIB
_MOST_SHARE = 2
"""Times memory: "there is little point creating a zram of greater than twice the size of memory since we expect a 2:1
compression ratio" (Documentation/admin-guide/blockdev/zram.rst)."""
_LARGEST_BYTES = 128 * GIB
"""Of memory, where nobody knows how much there will be: the largest Jetson's."""
_STAND_INS = {"lzo-rle": ("lzo", "lz4"), "lzo": ("lz4",), "lz4hc": ("lz4",), "deflate": ("zstd",)}
"""What packs about as well, where an algorithm's own library could not be tried (docs/booted.md)."""
_PRIORITY = 100  # before any swap on a disk, whose priority is negative unless somebody says another
_HEAD = "# memfit wrote this file; memfit undo takes it back\n"
_CHOSEN = re.compile(r"\[([\w-]+)\]")


def read_algorithms(host: Host) -> tuple[str, tuple[str, ...]]:
    """The one in use, or that would be, and all that the kernel says it has; none where it does not say."""
    try:
        text = host.read_bytes(ALGORITHMS, most=4096).decode("ascii", "replace")
    except ProbeError:
        return _USUAL, ()
    chosen = _CHOSEN.search(text)
    return chosen[1] if chosen else _USUAL, tuple(re.findall(r"[\w-]+", text))


def parse_wish(value: str, *, chosen: str, algorithms: Sequence[str], memory_bytes: int) -> tuple[int, str]:
    """Size in whole MiB and algorithm.

    Raises:
        UsageError: no size, more than twice the memory, or an algorithm that this kernel has not.
    """
    size_text, comma, name = value.partition(",")
    size = size_of("zram", size_text, TAKES, least_bytes=_LEAST_BYTES)
    if comma and not name.strip():
        raise no_such("zram", value, TAKES)
    if size > _MOST_SHARE * (memory_bytes or _LARGEST_BYTES):
        raise UsageError(f"zram={value}: more than twice the memory that is to hold it", hint=f"it takes {TAKES}")
    algorithm = name.strip().lower() or chosen
    known = tuple(algorithms) or KNOWN
    if algorithm not in known:
        whose = "this kernel has" if algorithms else "zram knows"
        raise UsageError(f"zram={value}: no algorithm {algorithm!r}", hint=f"{whose} {', '.join(known)}")
    return -(-size // MIB) * MIB, algorithm


def packed_by(weights: Sequence[Compressed], algorithm: str) -> Compressed | None:
    """As that algorithm packs them, or else the nearest that could be tried; None where nothing was."""
    found = {one.algorithm: one for one in weights}
    nearest = (algorithm, *_STAND_INS.get(algorithm, ()), *found)
    return next((found[name] for name in nearest if name in found), None)


def set_up(size_bytes: int, algorithm: str, *, generator: bool) -> tuple[Change, ...]:
    """Files and links that make one device of this size at every boot."""
    why = "swap in compressed memory of the size that was asked for"
    if generator:
        content = f"{_HEAD}[zram0]\nzram-size = {size_bytes // MIB}\ncompression-algorithm = {algorithm}\n"
        return (FileChange(path=GENERATOR_DROP_IN, content=content.encode(), why=why),)
    return (
        FileChange(path=f"{SYSTEM}/{UNIT}", content=unit_text(size_bytes, algorithm).encode(), why=why),
        LinkChange(path=f"{SYSTEM}/swap.target.wants/{UNIT}", target=f"../{UNIT}", why=why),
    )


def script(size_bytes: int, algorithm: str) -> tuple[str, str]:
    """What a shell does to start and to stop it; a device that somebody has set up already is left alone."""
    start = (
        "modprobe zram || :; cd /sys/block/zram0; test $(cat initstate) = 0; "
        f"echo {algorithm} > comp_algorithm; echo {size_bytes} > disksize; "
        f"mkswap /dev/zram0; swapon -p {_PRIORITY} /dev/zram0"
    )
    return start, "swapoff /dev/zram0; echo 1 > /sys/block/zram0/reset"


def unit_text(size_bytes: int, algorithm: str) -> str:
    """The service; a dollar is doubled for systemd (systemd.service(5), command lines)."""
    start, stop = (text.replace("$", "$$") for text in script(size_bytes, algorithm))
    return (
        f"{_HEAD}[Unit]\nDescription=Swap in compressed memory, as memfit was asked for\nDefaultDependencies=no\n"
        "After=systemd-modules-load.service systemd-remount-fs.service\nBefore=swap.target\n\n"
        "[Service]\nType=oneshot\nRemainAfterExit=yes\n"
        f"ExecStart=/bin/sh -ec '{start}'\nExecStop=/bin/sh -ec '{stop}'\n"
    )
