"""Who holds memory, by unit: a table that several views of an audit show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from memfit.device.audit_records import Audit, NvMapClient, ProcessRow
from memfit.render.document import Cell, Column, Row, Table
from memfit.render.views._figures import mib

_BLANK = Cell("")


class Holder(NamedTuple):
    """Processes of one unit, container or session together; those without one by their name."""

    name: str
    role: str
    processes: int
    pss_bytes: int
    swapped_bytes: int
    nvmap_bytes: int
    unread: int
    resident_bytes: int

    @property
    def known_bytes(self) -> int:
        """Its share; where nobody may read that, what is resident, which a share never exceeds."""
        return self.resident_bytes if self.unread == self.processes else self.pss_bytes


def holders(audit: Audit) -> tuple[Holder, ...]:
    """Units, containers, sessions and lone processes, the largest first."""
    nvmap = _nvmap_by_pid(audit.nvmap)
    groups: dict[str, list[ProcessRow]] = {}
    for row in audit.processes:
        groups.setdefault(row.unit or row.name, []).append(row)
    found = [_holder(name, rows, nvmap) for name, rows in groups.items()]
    return tuple(sorted(found, key=lambda holder: (-(holder.known_bytes + holder.nvmap_bytes), holder.name)))


def holder_table(found: tuple[Holder, ...], *, most: int) -> Table:
    """The ``most`` largest holders, and the others in one line."""
    shown, others = found[:most], found[most:]
    rows = [_holder_row(holder) for holder in shown]
    if others:
        rows.append(_holder_row(_together(f"{len(others)} others", others), quiet=True))
    total = _together("all", found)
    columns = (
        Column("who"),
        Column("kind", spare=True),
        Column("processes", "right", spare=True),
        Column("PSS", "right"),
        Column("swapped", "right", spare=True),
        Column("NvMap", "right"),
    )
    return Table("Who holds memory, MiB", columns, tuple(rows), (_holder_row(total),))


def at_most(size: int) -> Cell:
    """A share that nobody may read: no more than what is resident."""
    return Cell(f"≤ {mib(size).text}", quiet=True, exact=f"at most {size} bytes")


def _nvmap_by_pid(clients: Iterable[NvMapClient]) -> dict[int, int]:
    sizes: dict[int, int] = {}
    for client in clients:
        if client.pid is not None:
            sizes[client.pid] = sizes.get(client.pid, 0) + client.bytes
    return sizes


def _holder(name: str, rows: list[ProcessRow], nvmap: dict[int, int]) -> Holder:
    roles = [row.role for row in rows if row.role]
    largest = max(rows, key=lambda row: row.pss_bytes or row.rss_bytes)
    # a session or a container has a number for a name: its largest process says more
    numbered = rows[0].kind in ("session", "container") and not name.startswith(largest.name)
    return Holder(
        name=f"{name}: {largest.name}" if numbered else name,
        role=roles[0] if roles else "" if rows[0].kind == "other" else rows[0].kind,
        processes=len(rows),
        pss_bytes=sum(row.pss_bytes or 0 for row in rows),
        swapped_bytes=sum(row.swapped_bytes for row in rows),
        nvmap_bytes=sum(nvmap.get(row.pid, 0) for row in rows),
        unread=sum(row.pss_bytes is None for row in rows),
        resident_bytes=sum(row.rss_bytes for row in rows),
    )


def _together(name: str, found: Iterable[Holder]) -> Holder:
    found = tuple(found)
    return Holder(
        name=name,
        role="",
        processes=sum(holder.processes for holder in found),
        pss_bytes=sum(holder.pss_bytes for holder in found),
        swapped_bytes=sum(holder.swapped_bytes for holder in found),
        nvmap_bytes=sum(holder.nvmap_bytes for holder in found),
        unread=sum(holder.unread for holder in found),
        resident_bytes=sum(holder.resident_bytes for holder in found),
    )


def _holder_row(holder: Holder, *, quiet: bool = False) -> Row:
    return (
        Cell(holder.name, quiet=quiet),
        Cell(holder.role, quiet=True),
        Cell(str(holder.processes), quiet=True),
        _share(holder, quiet=quiet),
        mib(holder.swapped_bytes, quiet=True) if holder.swapped_bytes else _BLANK,
        mib(holder.nvmap_bytes, quiet=quiet) if holder.nvmap_bytes else _BLANK,
    )


def _share(holder: Holder, *, quiet: bool) -> Cell:
    """Its PSS; a bound where nobody may read that of all, or of some, of its processes."""
    if not holder.unread:
        return mib(holder.pss_bytes, quiet=quiet)
    if holder.unread == holder.processes:
        return at_most(holder.resident_bytes)
    return Cell(f"≥ {mib(holder.pss_bytes).text}", quiet=quiet, exact=f"at least {holder.pss_bytes} bytes")
