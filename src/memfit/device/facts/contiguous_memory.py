"""CMA pools: contiguous memory for drivers, which everyone else may use until a driver asks for it."""

from __future__ import annotations

from memfit.device.facts._fact import Fact
from memfit.device.kernel_memory import PAGE_BYTES, CmaArea
from memfit.device.reading import read_integer
from memfit.host import Host

_DEBUG = "/sys/kernel/debug/cma"
_HIGHEST_ORDER = 18  # a block of 1 GiB


def read(host: Host) -> tuple[CmaArea, ...]:
    """Every pool with what drivers hold of it (``mm/cma_debug.c``); none without root or debugfs."""
    found = []
    for folder in host.glob(f"{_DEBUG}/*"):
        count, used = read_integer(host, f"{folder}/count"), read_integer(host, f"{folder}/used")
        # used counts bits of 2^order pages each: order_per_bit is 0 for every pool of a driver, more for huge pages
        order = read_integer(host, f"{folder}/order_per_bit") or 0
        if count is None or used is None or count < 0 or used < 0 or not 0 <= order <= _HIGHEST_ORDER:
            continue
        name = folder.rpartition("/")[2].removeprefix("cma-")
        found.append(CmaArea(name=name, size_bytes=count * PAGE_BYTES, used_bytes=(used << order) * PAGE_BYTES))
    return tuple(found)


FACT = Fact(
    paths=(_DEBUG, *(f"{_DEBUG}/*/{name}" for name in ("count", "used", "order_per_bit"))),
    read=read,
    provides="CMA pools and what drivers hold of them",
)
