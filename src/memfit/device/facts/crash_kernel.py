"""Memory kept for a kernel that starts when this one crashes (kdump)."""

from __future__ import annotations

from memfit.device.facts._fact import Fact
from memfit.device.kernel_memory import CrashKernel
from memfit.device.reading import read_integer
from memfit.host import Host

_SIZE, _LOADED = "/sys/kernel/kexec_crash_size", "/sys/kernel/kexec_crash_loaded"


def read(host: Host) -> CrashKernel | None:
    """How much is kept, and whether a crash kernel lies in it; None where the kernel has no kexec."""
    size = read_integer(host, _SIZE)
    return None if size is None else CrashKernel(size_bytes=size, loaded=read_integer(host, _LOADED) == 1)


FACT = Fact(paths=(_SIZE, _LOADED), read=read, provides="memory kept for a crash kernel")
