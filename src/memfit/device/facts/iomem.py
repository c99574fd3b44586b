"""Which physical addresses are DRAM, and which of them the kernel keeps."""

from __future__ import annotations

from memfit.device.facts._fact import Fact
from memfit.device.kernel_memory import Region, parse_iomem
from memfit.device.reading import read_text
from memfit.host import Host

_PATH = "/proc/iomem"


def read(host: Host) -> tuple[Region, ...]:
    """Regions by address; none where only root is shown addresses."""
    # leading space is what nests a region in another: the text may not be stripped at its start
    return parse_iomem(read_text(host, _PATH, most=1 << 20) or "")


FACT = Fact(paths=(_PATH,), read=read, provides="physical addresses of DRAM and of what the kernel keeps")
