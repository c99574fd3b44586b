"""How much a disk reads around a page that is missing: it decides what mapped weights need to stay in memory."""

from __future__ import annotations

import os

from memfit.device.reading import read_integer
from memfit.host import Host, LocalHost
from memfit.units import KIB


def read_ahead_bytes(path: str, host: Host | None = None) -> int | None:
    """``read_ahead_kb`` of the disk, or of the network file system, that a file of this machine lies on.

    None where the kernel does not tell (tmpfs, or no sysfs), or the file cannot be asked.
    """
    try:
        number = os.stat(path).st_dev  # noqa: PTH116 - the caller has a name and no Path
    except (OSError, ValueError):
        return None
    host = host or LocalHost()
    where = f"{os.major(number)}:{os.minor(number)}"
    # a whole disk or a file system without one; then the disk that a partition belongs to
    for name in (f"/sys/class/bdi/{where}/read_ahead_kb", f"/sys/dev/block/{where}/../queue/read_ahead_kb"):
        found = read_integer(host, name)
        if found is not None and found >= 0:
            return found * KIB
    return None
