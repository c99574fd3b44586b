"""The kernel's release."""

from __future__ import annotations

from memfit.device.facts._fact import Fact
from memfit.device.reading import read_text
from memfit.errors import ProbeError
from memfit.host import Host

_RUNNING = "/proc/sys/kernel/osrelease"
_MODULES = "/lib/modules"


def read(host: Host) -> str | None:
    """Of the running kernel; of an unpacked image the one that has modules there, None where there are several."""
    running = read_text(host, _RUNNING, most=256)
    if running:
        return running
    try:
        installed = host.list_dir(_MODULES)
    except ProbeError:
        return None
    return installed[0] if len(installed) == 1 else None


FACT = Fact(paths=(_RUNNING, _MODULES), read=read, provides="the kernel's release")
