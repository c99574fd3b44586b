"""NvMap: memory that CUDA, video and display hold, which no process's PSS shows.

The tables lie in debugfs, which only root may read. Formats: ``drivers/video/tegra/nvmap`` of nvidia-oot R36
(``nvmap_dev.c``: clients, ``free_size``; ``nvmap_pp.c``: page pool), older ones alike. On Thor they exist and say 0K.
"""

from __future__ import annotations

import re

import msgspec

from memfit.device.audit_records import NvMapClient
from memfit.device.reading import integer, read_integer, read_text
from memfit.errors import NeedsRoot, ProbeError
from memfit.host import Host
from memfit.units import GIB, KIB, MIB

FOLDER = "/sys/kernel/debug/nvmap"
CLIENTS = f"{FOLDER}/iovmm/clients"
FREE = f"{FOLDER}/iovmm/free_size"
TOTAL = f"{FOLDER}/stats/total_memory"
POOL_PAGES = f"{FOLDER}/pagepool/page_pool_available_pages"
POOL_LIMIT_PAGES = "/sys/module/nvmap/parameters/pool_size"
PATHS = (CLIENTS, FREE, TOTAL, POOL_PAGES, POOL_LIMIT_PAGES)

# every Jetson kernel has 4 KiB pages: L4T's arm64 defconfig
_PAGE_BYTES = 4 * KIB
_UNITS = {"": 1, "K": KIB, "M": MIB, "G": GIB}
# a process may be called "VLLM::EngineCor" or "Web Content": the row is read from its right end
_ROW = re.compile(r"(\S+)\s+(.*?\S)\s+([0-9]{1,10})\s+([0-9]{1,15})([KMG]?)", re.ASCII)
# longer lines are no rows; the pattern above would take long over a megabyte of blanks
_LONGEST_ROW = 512
_NO_CLIENTS = ("CLIENT ", "total")
_SUM = re.compile(r"total\s+([0-9]{1,15})([KMG]?)", re.ASCII)


class NvMap(msgspec.Struct, frozen=True, kw_only=True):
    """What NvMap holds and what it could still give.

    Attributes:
        clients: who holds how much.
        unread_rows: rows of clients that name nobody or no size; what they hold is not among ``clients``.
        total_bytes: what it holds in all, clients or not (``stats/total_memory``, else the table's last line).
        free_bytes: what it could allocate now (``iovmm/free_size``): the answer to "how much can CUDA still take".
        pool_bytes: freed pages it keeps for itself; dropping caches returns them.
        pool_limit_bytes: how far that pool may grow.
        readable: False where only root may look; nothing else is known then.
    """

    clients: tuple[NvMapClient, ...] = ()
    unread_rows: int = 0
    total_bytes: int | None = None
    free_bytes: int | None = None
    pool_bytes: int | None = None
    pool_limit_bytes: int | None = None
    readable: bool = True


def read_nvmap(host: Host) -> NvMap | None:
    """All of it; None on a machine without NvMap, ``readable=False`` where only root may look."""
    try:
        table = _table(host)
    except NeedsRoot:
        return NvMap(readable=False) if _pool_limit_bytes(host) is not None else None
    if table is None and read_free_bytes(host) is None:
        return None
    total = read_integer(host, TOTAL)
    return NvMap(
        clients=parse_clients(table or ""),
        unread_rows=count_unread(table or ""),
        total_bytes=total if total is not None else parse_total(table or ""),
        free_bytes=read_free_bytes(host),
        pool_bytes=read_pool_bytes(host),
        pool_limit_bytes=_pool_limit_bytes(host),
    )


def read_clients(host: Host) -> tuple[NvMapClient, ...]:
    """Who holds NvMap memory; nobody where there is no NvMap.

    Raises:
        NeedsRoot: only root may read the table.
    """
    return parse_clients(_table(host) or "")


def read_free_bytes(host: Host) -> int | None:
    """What NvMap could allocate now; None where it does not say (no NvMap, before R35, or not root)."""
    return parse_free(read_text(host, FREE) or "")


def read_pool_bytes(host: Host) -> int | None:
    """Freed pages in NvMap's own pool; they are in neither MemFree nor MemAvailable. None where unknown."""
    pages = read_integer(host, POOL_PAGES)
    return None if pages is None or pages < 0 else pages * _PAGE_BYTES


def parse_clients(text: str) -> tuple[NvMapClient, ...]:
    """Rows ``CLIENT PROCESS PID SIZE``; rows that lack a column, the heading and the total are left out."""
    found = []
    for line in text.splitlines():
        row = _ROW.fullmatch(line.strip()) if len(line) <= _LONGEST_ROW else None
        if row is None or row[1] == "total":
            continue
        pid = int(row[3])
        found.append(
            # the kernel's own clients have pid 0
            NvMapClient(user=row[1], name=row[2], pid=pid or None, bytes=int(row[4]) * _UNITS[row[5]])
        )
    return tuple(found)


def count_unread(text: str) -> int:
    """Rows that :func:`parse_clients` leaves out and that are neither the heading nor the total."""
    rows = (line.strip() for line in text.splitlines())
    return sum(
        bool(row) and not row.startswith(_NO_CLIENTS) and (len(row) > _LONGEST_ROW or _ROW.fullmatch(row) is None)
        for row in rows
    )


def parse_total(text: str) -> int | None:
    """The table's last line, in bytes; it can exceed the sum of the rows. None where it lacks a figure."""
    for line in text.splitlines():
        if len(line) <= _LONGEST_ROW and (found := _SUM.fullmatch(line.strip())):
            return int(found[1]) * _UNITS[found[2]]
    return None


def parse_free(text: str) -> int | None:
    """``Max allocatable IOVMM memory: 6135873536 bytes``, or the bare number."""
    found = re.search(r"([0-9]{1,19})\s*bytes", text, re.ASCII)
    return int(found[1]) if found else integer(text.strip())


def _table(host: Host) -> str | None:
    try:
        return host.read_bytes(CLIENTS).decode("utf-8", "replace")
    except NeedsRoot:
        raise
    except ProbeError:
        return None


def _pool_limit_bytes(host: Host) -> int | None:
    pages = read_integer(host, POOL_LIMIT_PAGES)
    return None if pages is None or pages < 0 else pages * _PAGE_BYTES
