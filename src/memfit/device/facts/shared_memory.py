"""Files that live in memory: tmpfs by mount, and System V segments."""

from __future__ import annotations

import re

from memfit.device.facts._fact import Fact
from memfit.device.kernel_memory import parse_shared_segments
from memfit.device.reading import read_text
from memfit.errors import ProbeError
from memfit.host import Disk, Host

_MOUNTS, _SEGMENTS = "/proc/self/mountinfo", "/proc/sysvipc/shm"
_IN_MEMORY = ("tmpfs", "devtmpfs")


def read(host: Host) -> tuple[tuple[str, int], ...]:
    """Mount points of tmpfs with the bytes their files take, the largest first; empty ones are left out.

    A file system mounted in several places is counted once. What lies on swap counts too: tmpfs does not tell.
    """
    found: dict[str, tuple[str, int]] = {}
    root = _disk(host, "/")
    for line in (read_text(host, _MOUNTS, most=1 << 20) or "").splitlines():
        front, _, rest = line.partition(" - ")
        words, kind = front.split(), rest.split(" ", 1)[0]
        if kind not in _IN_MEMORY or len(words) < 5 or words[2] in found:
            continue
        mount = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), words[4])  # \040 is a space
        disk = _disk(host, mount)
        # a recording without this mount answers for the file system around it
        if disk is None or disk == root:
            continue
        found[words[2]] = (mount, disk.total_bytes - disk.free_bytes)
    return tuple(sorted((entry for entry in found.values() if entry[1] > 0), key=lambda entry: (-entry[1], entry[0])))


def _disk(host: Host, mount: str) -> Disk | None:
    try:
        return host.disk(mount)
    except ProbeError:
        return None


def read_segments(host: Host) -> int:
    """Resident bytes of System V shared memory."""
    return parse_shared_segments(read_text(host, _SEGMENTS, most=1 << 20) or "")


FACT = Fact(paths=(_MOUNTS, _SEGMENTS), read=read, provides="files that live in memory, by mount")
