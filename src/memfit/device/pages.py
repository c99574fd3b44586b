"""Which pages of a running process are in memory: of a range of addresses, or of the files it maps.

Read at a place in a file of hundreds of gigabytes, so on this machine alone and not through a ``Host``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

# /proc/PID/pagemap: 64 bits a page, the highest set where it is present (Documentation/admin-guide/mm/pagemap.rst)
_ENTRY_BYTES = 8
_ABSENT = bytes(range(0x80))  # top bytes of little-endian entries without that bit
_PIECE_BYTES = 1 << 20


def touched_bytes(pid: int, address: int, size: int, *, proc: Path = Path("/proc")) -> int | None:
    """Bytes of ``size`` from ``address`` on that are in memory; None where the process may not be looked into.

    A page that holds the range's end counts with the part that lies in it.
    """
    page = os.sysconf("SC_PAGE_SIZE")
    first, last = address // page, (address + size - 1) // page
    try:
        with (proc / str(pid) / "pagemap").open("rb", buffering=0) as file:
            present = _present(file.fileno(), first, last + 1 - first)
            if present is None:
                return None
            edges = sum(
                inside - page for index, inside in _edges(address, size, page) if _present(file.fileno(), index, 1)
            )
    except OSError:
        return None
    return max(0, min(size, present * page + edges))


def _edges(address: int, size: int, page: int) -> list[tuple[int, int]]:
    """First and last page of a range, each with the bytes of it that lie inside."""
    first, last = address // page, (address + size - 1) // page
    if first == last:
        return [(first, size)]
    return [(first, (first + 1) * page - address), (last, address + size - last * page)]


def _present(descriptor: int, first: int, count: int) -> int | None:
    """Present pages among ``count``; None where the file ends before them."""
    present = 0
    at, end = first * _ENTRY_BYTES, (first + count) * _ENTRY_BYTES
    while at < end:
        piece = os.pread(descriptor, min(_PIECE_BYTES, end - at), at)
        if not piece:
            return None
        present += len(piece[_ENTRY_BYTES - 1 :: _ENTRY_BYTES].translate(None, _ABSENT))
        at += len(piece)
    return present


class Mapped(NamedTuple):
    """Pages of a file that a process has mapped and that are in memory.

    Attributes:
        resident_bytes: all of them (``Rss`` of the mappings in smaps).
        pss_bytes: its share of them, where others have mapped the same.
    """

    resident_bytes: int = 0
    pss_bytes: int = 0


# what is mapped under these names is memory shared between programs or with a device, and no file
_NO_FILES = ("/memfd:", "/dev/", "/SYSV", "/anon_hugepage")


def mapped(pid: int, *, proc: Path = Path("/proc")) -> dict[int, Mapped] | None:
    """Every file that a process has mapped, by inode; None where it may not be looked into."""
    found: dict[int, Mapped] = {}
    inode, sizes = 0, dict.fromkeys(("Rss", "Pss"), 0)
    try:
        with (proc / str(pid) / "smaps").open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                name, _, value = line.partition(":")
                if " " in name:  # "7f00-7f01 r--p 00000000 08:01 1234  /a/file"
                    fields = line.split(None, 5)
                    whole = len(fields) == 6 and fields[4].isdigit() and not fields[5].startswith(_NO_FILES)
                    inode = int(fields[4]) if whole else 0
                elif inode and name in sizes:
                    sizes[name] = int(value.split()[0]) * 1024
                    if name == "Pss":  # the later of the two
                        before = found.get(inode, Mapped())
                        found[inode] = Mapped(before.resident_bytes + sizes["Rss"], before.pss_bytes + sizes["Pss"])
    except (OSError, ValueError):
        return None
    return found


def mapped_bytes(found: Mapping[int, Mapped], files: Iterable[str]) -> int:
    """What of these files is among what a process has mapped."""
    inodes = set()
    for path in files:
        try:
            inodes.add(Path(path).stat().st_ino)
        except OSError:
            continue
    return sum(found[inode].resident_bytes for inode in inodes if inode in found)


def left_out_bytes(found: Sequence[Mapping[int, Mapped]]) -> int:
    """What the PSS of some processes leaves out of files that they have mapped, because others have mapped them, too.

    Their own sharing leaves nothing out: together they have all that the one with most of a file has.
    """
    inodes = {inode for each in found for inode in each}
    return sum(
        max(0, max(held.resident_bytes for held in holding) - sum(held.pss_bytes for held in holding))
        for holding in ([each[inode] for each in found if inode in each] for inode in inodes)
    )
