"""What the kernel has counted so far for a run, and the difference between two looks."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from memfit.device.cgroup import Cgroup, CgroupMemory, read_cgroup
from memfit.device.pressure import read_pressure
from memfit.device.vmstat import Vmstat, read_vmstat
from memfit.host import Host
from memfit.measure._tree import Tree
from memfit.measure.records import Paging

Scope: TypeAlias = Literal["cgroup", "machine", "none"]


class Counters(msgspec.Struct, frozen=True, kw_only=True):
    """Counts since the group was made, the processes started or the machine booted; None where not counted.

    Attributes:
        refaults_scope: of the group where it counts them, else of the machine.
        stalled_s: likewise.
    """

    major_faults: int | None = None
    refaults: int | None = None
    refaults_scope: Scope = "none"
    limit_failures: int | None = None
    oom_kills: int | None = None
    swapped_in_pages: int | None = None
    swapped_out_pages: int | None = None
    stalled_s: float | None = None


def read_counters(host: Host, tree: Tree, cgroup: Cgroup | None) -> Counters:
    """Everything now."""
    group = CgroupMemory() if cgroup is None else read_cgroup(cgroup, host)
    machine = read_vmstat(host)
    pressure = group.pressure or read_pressure(host)
    refaults, scope = _refaults(group, machine)
    return Counters(
        major_faults=tree.major_faults if group.major_faults is None else group.major_faults,
        refaults=refaults,
        refaults_scope=scope,
        limit_failures=group.limit_failures,
        oom_kills=group.oom_kills,
        swapped_in_pages=None if machine is None else machine.swapped_in_pages,
        swapped_out_pages=None if machine is None else machine.swapped_out_pages,
        stalled_s=None if pressure is None else pressure.some_s,
    )


def _refaults(group: CgroupMemory, machine: Vmstat | None) -> tuple[int | None, Scope]:
    if group.refaults is not None:
        return group.refaults, "cgroup"
    return (None, "none") if machine is None else (machine.refaults, "machine")


def paging_between(first: Counters, last: Counters) -> Paging:
    """What happened from one look to the other."""

    def grown(field: str) -> int:
        before, after = getattr(first, field), getattr(last, field)
        return 0 if before is None or after is None else max(0, after - before)

    # two scopes cannot be subtracted from each other
    same = first.refaults_scope == last.refaults_scope
    stalled = None if first.stalled_s is None or last.stalled_s is None else max(0.0, last.stalled_s - first.stalled_s)
    return Paging(
        major_faults=grown("major_faults"),
        refaults=grown("refaults") if same else 0,
        refaults_scope=last.refaults_scope if same else "none",
        limit_failures=grown("limit_failures"),
        oom_kills=grown("oom_kills"),
        stalled_s=stalled,
    )
