"""How much DRAM a machine has where no board of the catalog says it."""

from __future__ import annotations

from memfit.device.facts._fact import Fact
from memfit.device.kernel_memory import InstalledMemory, parse_memory_devices
from memfit.device.reading import read_text
from memfit.errors import ProbeError
from memfit.host import Host

_TABLES = "/sys/firmware/dmi/tables/DMI"
_BLOCKS = "/sys/devices/system/memory"
_BLOCK_SIZE = f"{_BLOCKS}/block_size_bytes"


def read(host: Host) -> InstalledMemory | None:
    """What firmware lists as installed (SMBIOS, only root may read it), else the kernel's blocks of memory.

    Blocks are whole multiples of 128 MiB or more, so they include what firmware keeps at either end of one.
    """
    try:
        installed = parse_memory_devices(host.read_bytes(_TABLES))
    except ProbeError:  # NeedsRoot too
        installed = 0
    if installed:
        return InstalledMemory(bytes=installed, evidence=f"{_TABLES}: memory devices")
    try:
        blocks = [name for name in host.list_dir(_BLOCKS) if name.removeprefix("memory").isdigit()]
        size = int(read_text(host, _BLOCK_SIZE) or "", 16)
    except (ProbeError, ValueError):
        return None
    return InstalledMemory(bytes=len(blocks) * size, evidence=f"{_BLOCKS}: {len(blocks)} blocks") if blocks else None


FACT = Fact(paths=(_TABLES, _BLOCKS, _BLOCK_SIZE), read=read, provides="installed DRAM")
