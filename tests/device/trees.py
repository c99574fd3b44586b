"""Folders that look like the root of a Jetson: what an audit reads there, written from known figures.

``write_tree("orin-nano-8gb-desktop", folder)`` writes one and returns a host that reads it. Each tree adds up to the
kB: MemTotal is free + buffers + cached + every counter of meminfo + what no counter shows (NvMap with its page pool,
what drivers hold of CMA, zram's own cost, pages in per-CPU lists, and ``hidden``, which nothing explains).

Where figures come from:

=====================  ====================================================================================
measured in logs       MemTotal, used, swap of every tree (tegrastats, meminfo); the boot log's Memory line, ranges and
                       holes of Orin Nano and the sum of holes of AGX Orin; comptags of AGX Orin; carveout names of Thor
source                 CMA 256/512 MiB (device trees of R36.2), SWIOTLB, zram of MemTotal/2, the pool's cap of RAM/8,
                       power modes' ids and names, units of AGX Orin R36.4.7
modelled               how "used" is divided among processes and drivers (weights below), addresses on NX, AGX and Thor,
                       initrd sizes, caches, temperatures, clocks. A tree says so only here: no test may take these for
                       measurements.
=====================  ====================================================================================

The headless tree is R36.5.0 without swap, as the log it follows; the other Orins have the zram that L4T sets up.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from tree_kernel import write_kernel
from tree_processes import Program, write_processes
from tree_system import write_system

from memfit.errors import ProbeError
from memfit.host import Disk, LocalHost

MIB = 1024  # in kB, as everything here
_RUN = 3_200  # what lies in /run


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """A machine at one moment; sizes in kB.

    Attributes:
        holes: DRAM that firmware keeps, as (start, end) addresses. unmapped: ranges Linux was handed and may not touch.
        cma_drivers: of CMA, what drivers hold. hidden: pages that no counter shows and nothing explains.
        pool: NvMap's page pool, None to let it take what is left of MemTotal; gpu: pages of the nvidia driver (Thor),
            which no counter shows either.
    """

    name: str
    model: str
    compatible: tuple[str, ...]
    boot_spec: str
    l4t: str
    packages: dict[str, str]
    kernel: str
    distribution: tuple[str, str, str]
    desktop: bool
    cpus: int
    dram: int
    dram_base: int = 0x8000_0000
    holes: tuple[tuple[int, int], ...]
    unmapped: tuple[tuple[int, int], ...]
    total: int
    free: int
    available: int
    buffers: int
    cached: int
    swap_cached: int = 0
    anon: int
    mapped: int
    shmem: int
    mapped_shmem: int
    slab_reclaimable: int
    slab: int
    stacks: int
    page_tables: int
    percpu: int
    vmalloc: int
    image: tuple[int, int, int, int]
    init: int
    initrd: int
    dentry_entries: int
    cma: int
    cma_free: int
    cma_drivers: int
    swiotlb: int
    swap_total: int = 0
    swap_used: int = 0
    zram_cost: int = 0
    page_lists: int
    hidden: int
    nvmap: tuple[tuple[str, int, int], ...]
    pool: int | None = None
    gpu: int = 0
    modes: tuple[str, ...]
    mode: int
    default_mode: int
    gpu_clock: str
    clocks: dict[str, tuple[int, int, int]]
    zones: dict[str, float]
    rails: dict[str, tuple[int, int]]
    command_line: str
    disk: tuple[str, int, int]
    units: tuple[str, ...]
    programs: tuple[Program, ...]

    @property
    def present(self) -> int:
        """What Linux was handed."""
        return self.dram - sum(end - start for start, end in self.holes) // 1024

    @property
    def used(self) -> int:
        """As tegrastats counts it."""
        return self.total - self.free - self.buffers - self.cached

    @property
    def page_pool(self) -> int:
        """NvMap's page pool: what is left of MemTotal after everything else."""
        if self.pool is not None:
            return self.pool
        return self.rest - self.hidden - self.gpu

    @property
    def rest(self) -> int:
        """Pages that are NvMap's pool, hidden or the nvidia driver's."""
        counted = (
            self.free + self.buffers + self.cached + self.swap_cached + self.anon + self.slab + self.page_tables
        ) + (self.percpu + self.vmalloc + self.cma_drivers + self.page_lists + self.zram_cost + self.late)
        return self.total - counted - sum(size for _, _, size in self.nvmap)

    @property
    def late(self) -> int:
        """Atomic DMA pools outside of CMA: two of 1 MiB."""
        return 2 * 1024

    @property
    def pool_limit(self) -> int:
        """MemTotal / 8, in whole pages."""
        return self.total // 4 // 8 * 4


class TreeHost(LocalHost):
    """The written folder, with the space on its disk that the machine had and its name."""

    def __init__(self, root: Path, machine: Machine) -> None:
        super().__init__(root)
        self.name = machine.name
        self.machine = machine

    def disk(self, path: str) -> Disk:
        if path == "/run":  # a tmpfs: its files are a part of Shmem
            return Disk(total_bytes=780_276 * 1024, free_bytes=(780_276 - _RUN) * 1024)
        if path != "/":
            raise ProbeError(f"{path}: / and /run alone have a disk here")
        return Disk(total_bytes=self.machine.disk[1] * 1024, free_bytes=self.machine.disk[2] * 1024)


def names() -> tuple[str, ...]:
    """Every tree there is."""
    from tree_machines import MACHINES

    return tuple(MACHINES)


def machine(name: str) -> Machine:
    """The figures of a tree."""
    from tree_machines import MACHINES

    return MACHINES[name]


def write_tree(name: str, folder: Path) -> TreeHost:
    """Write the tree called ``name`` below ``folder``, which is made where it is not there."""
    found = machine(name)
    files = {**write_kernel(found), **write_processes(found), **write_system(found)}
    for path, content in files.items():
        place = folder / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            place.symlink_to(content)
        else:
            place.write_bytes(content.encode() if isinstance(content, str) else content)
    return TreeHost(folder, found)
