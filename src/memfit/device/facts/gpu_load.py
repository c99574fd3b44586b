"""How busy the GPU is."""

from __future__ import annotations

from memfit.device.facts._fact import Fact
from memfit.device.reading import read_integer
from memfit.host import Host

# nvgpu's own figure, in thousandths: R36 on a bus, R35 beside it, R32 as gpu.0; Thor has none (ask NVML)
_PATHS = (
    "/sys/devices/platform/bus@0/*.gpu/load",
    "/sys/devices/platform/*.gpu/load",
    "/sys/devices/platform/*.ga10b/load",
    "/sys/devices/platform/*.gv11b/load",
    "/sys/devices/gpu.0/load",
    "/sys/devices/platform/gpu.0/load",
)


def read(host: Host) -> float | None:
    """Percent; None where the GPU's driver does not say."""
    for pattern in _PATHS:
        for path in host.glob(pattern):
            load = read_integer(host, path)
            if load is not None and 0 <= load <= 1000:
                return load / 10
    return None


FACT = Fact(paths=_PATHS, read=read, provides="how busy the GPU is, in percent")
