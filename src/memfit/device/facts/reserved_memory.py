"""What the device tree reserves, and the DRAM it describes."""

from __future__ import annotations

import struct

from memfit.device.boot_log import ReservedNode
from memfit.device.facts._fact import Fact
from memfit.device.spans import Span
from memfit.errors import ProbeError
from memfit.host import Host

_ROOT = "/proc/device-tree"
_CELL = 4
_CELLS = 2  # of an address and of a size, on every 64-bit Tegra


def read(host: Host) -> tuple[ReservedNode, ...]:
    """Nodes of ``reserved-memory`` at fixed addresses that are switched on; those placed by the kernel have none."""
    found = []
    for path in host.glob(f"{_ROOT}/reserved-memory/*/reg"):
        folder, name = path.removesuffix("/reg"), path.split("/")[-2]
        if (_bytes(host, f"{folder}/status") or b"okay\0").rstrip(b"\0") not in (b"okay", b"ok"):
            continue
        reusable = _bytes(host, f"{folder}/reusable") is not None
        found += [
            ReservedNode(name=name, span=span, reusable=reusable) for span in parse_reg(_bytes(host, path) or b"")
        ]
    return tuple(found)


def read_ranges(host: Host) -> tuple[Span, ...]:
    """DRAM by the ``memory`` nodes; where UEFI boots the kernel, its own map replaces them."""
    return tuple(span for path in host.glob(f"{_ROOT}/memory@*/reg") for span in parse_reg(_bytes(host, path) or b""))


def parse_reg(raw: bytes) -> tuple[Span, ...]:
    """Pairs of address and size, two big-endian cells each; pairs of no size are left out."""
    pair = 2 * _CELLS * _CELL
    pairs = (struct.unpack_from(">QQ", raw, place) for place in range(0, len(raw) - pair + 1, pair))
    return tuple(Span(address, address + size) for address, size in pairs if size)


def _bytes(host: Host, path: str) -> bytes | None:
    try:
        return host.read_bytes(path, most=4096)
    except ProbeError:
        return None


_NODES = f"{_ROOT}/reserved-memory/*"
FACT = Fact(
    paths=(f"{_NODES}/reg", f"{_NODES}/status", f"{_NODES}/reusable", f"{_ROOT}/memory@*/reg"),
    read=read,
    provides="memory that the device tree reserves",
)
