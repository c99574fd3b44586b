"""``/proc/vmstat``: what the kernel did to find memory, counted since boot and over the whole machine."""

from __future__ import annotations

import msgspec

from memfit.device.cgroup import parse_table
from memfit.errors import ProbeError
from memfit.host import Host, LocalHost

PATH = "/proc/vmstat"
MOST_BYTES = 1 << 16


class Vmstat(msgspec.Struct, frozen=True, kw_only=True):
    """Counts, not bytes.

    Attributes:
        faults: page faults of any kind.
        major_faults: those that had to read.
        refaults_file, refaults_anonymous: pages read again soon after they were dropped; before Linux 5.9 the two are
            counted as one, here under files.
        swapped_in_pages, swapped_out_pages: swap traffic, zram included.
        oom_kills: processes killed for memory; None before 4.13.
    """

    faults: int = 0
    major_faults: int = 0
    refaults_file: int = 0
    refaults_anonymous: int = 0
    swapped_in_pages: int = 0
    swapped_out_pages: int = 0
    oom_kills: int | None = None

    @property
    def refaults(self) -> int:
        """Both kinds of refaults."""
        return self.refaults_file + self.refaults_anonymous


def read_vmstat(host: Host | None = None) -> Vmstat | None:
    """The counters now; None where there are none."""
    try:
        return parse_vmstat((host or LocalHost()).read_bytes(PATH, most=MOST_BYTES).decode("ascii", "replace"))
    except ProbeError:
        return None


def parse_vmstat(text: str) -> Vmstat | None:
    """None where it has no count of faults, as of a file that is something else."""
    table = parse_table(text)
    if "pgfault" not in table:
        return None
    return Vmstat(
        faults=table["pgfault"],
        major_faults=table.get("pgmajfault", 0),
        refaults_file=table.get("workingset_refault_file", table.get("workingset_refault", 0)),
        refaults_anonymous=table.get("workingset_refault_anon", 0),
        swapped_in_pages=table.get("pswpin", 0),
        swapped_out_pages=table.get("pswpout", 0),
        oom_kills=table.get("oom_kill"),
    )
