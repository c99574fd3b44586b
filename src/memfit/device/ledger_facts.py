"""What a ledger is made of: facts of one machine at one moment."""

from __future__ import annotations

import msgspec

from memfit.device.audit_records import DramTerm, Explanation, FactSource, ProcessRow, Swap
from memfit.device.boot_log import BootLog, ReservedNode
from memfit.device.carveouts import Carveout
from memfit.device.kernel_memory import BounceBuffers, CmaArea, CrashKernel, Moment, Region
from memfit.device.nvmap import NvMap
from memfit.device.spans import Span


class LedgerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is added up; None and empty where it could not be seen.

    Attributes:
        physical_bytes: DRAM of the machine, with ``physical_source`` and where that stands.
        tegra: DRAM is contiguous from ``carveouts.DRAM_BASE`` on.
        nvgpu: its GPU is driven by nvgpu, which takes memory from NvMap and CMA (Xavier and Orin; Thor's is not).
        configuration: carveouts by the boot configuration of this board and release.
        regions: of ``/proc/iomem``, which only root is shown.
        nodes: reservations of the device tree. tree_ranges: DRAM by its memory nodes.
        cma: pools with what drivers hold of them.
        files: tmpfs mounts with their bytes; segments_bytes: System V shared memory.
        processes: rows with owners. shared_mapped_bytes: what processes map of shared memory, a part of Mapped.
        slabs: the largest caches. sockets_bytes: charged to sockets.
    """

    physical_bytes: int | None
    physical_source: FactSource = "measured"
    physical_evidence: str = ""
    moment: Moment
    tegra: bool = False
    nvgpu: bool = False
    configuration: tuple[Carveout, ...] = ()
    boot_log: BootLog | None = None
    regions: tuple[Region, ...] = ()
    nodes: tuple[ReservedNode, ...] = ()
    tree_ranges: tuple[Span, ...] = ()
    cma: tuple[CmaArea, ...] = ()
    bounce: BounceBuffers | None = None
    crash: CrashKernel | None = None
    nvmap: NvMap | None = None
    swaps: tuple[Swap, ...] = ()
    files: tuple[tuple[str, int], ...] = ()
    segments_bytes: int = 0
    processes: tuple[ProcessRow, ...] = ()
    shared_mapped_bytes: int = 0
    slabs: tuple[tuple[str, int], ...] = ()
    sockets_bytes: int = 0

    @property
    def linux_bytes(self) -> int:
        """DRAM that Linux was handed, its own reservations included; at least MemTotal."""
        zones = self.moment.zones
        if zones is not None and zones.present_bytes:
            return zones.present_bytes
        told = self.boot_log.linux_bytes if self.boot_log is not None else None
        return told if told is not None else self.moment.meminfo["MemTotal"]


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """Terms that add up with ``unexplained_bytes`` to ``physical_bytes``."""

    physical_bytes: int
    terms: tuple[DramTerm, ...]
    unexplained_bytes: int
    explanations: tuple[Explanation, ...]
