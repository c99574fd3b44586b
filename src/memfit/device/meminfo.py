"""``/proc/meminfo``, with its kB turned into bytes on the line that parses them."""

from __future__ import annotations

from memfit.errors import ProbeError
from memfit.host import Host


def read_meminfo(host: Host) -> dict[str, int]:
    """Every size in ``/proc/meminfo``, in bytes.

    Raises:
        ProbeError: the file is absent (not Linux) or lacks MemTotal or MemAvailable.
    """
    sizes = parse_meminfo(host.read_bytes("/proc/meminfo").decode("ascii", "replace"))
    for field in ("MemTotal", "MemAvailable"):
        if field not in sizes:
            raise ProbeError(
                f"/proc/meminfo has no {field}", hint="memfit needs Linux 3.14 or newer; or state --memory"
            )
    return sizes


def parse_meminfo(text: str) -> dict[str, int]:
    """The lines ``Name:  123 kB`` of a meminfo file, in bytes; other lines are left out."""
    sizes: dict[str, int] = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        words = value.split()
        if len(words) == 2 and words[1] == "kB" and words[0].isdigit():
            sizes[name.strip()] = int(words[0]) * 1024
    return sizes
