"""Read what a ledger is made of, close together in time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import msgspec

from memfit.device.audit_records import FactSource, Swap
from memfit.device.carveouts import boot_configuration
from memfit.device.facts import (
    boot_log,
    bounce_buffers,
    contiguous_memory,
    crash_kernel,
    iomem,
    kernel_counters,
    physical_memory,
    processes,
    reserved_memory,
    shared_memory,
)
from memfit.device.kernel_memory import Moment
from memfit.device.ledger import LedgerFacts, hidden_bytes
from memfit.device.nvmap import NvMap
from memfit.device.process_table import ProcessFacts
from memfit.device.processes import build_rows
from memfit.host import Host, LocalHost

_WITHOUT_NVGPU = "tegra264"  # Thor: the NVIDIA driver, as on other machines
_TRIES = 4
_PAUSE_S = 0.01
_SETTLED_SHARE = 1000  # what no counter shows, below 0.1 % of MemTotal


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What must be known of a machine before its memory is added up.

    Attributes:
        compatible: of the device tree; empty on others than ARM. l4t: release, None where there is none.
        tegra: an NVIDIA Tegra, whose DRAM is contiguous from a known address on.
        board_bytes: DRAM by the catalog of boards, None where the board is not in it.
    """

    compatible: tuple[str, ...] = ()
    l4t: str | None = None
    tegra: bool = False
    board_bytes: int | None = None
    board_name: str = ""
    swaps: tuple[Swap, ...] = ()
    nvmap: NvMap | None = None


def read_ledger_facts(host: Host, machine: Machine) -> LedgerFacts | None:
    """Everything that is added up; None where nothing runs.

    Processes are read once. The kernel's counts are read right after them, and on this machine again while what no
    counter shows is much: a page that is just being freed, or handed on, belongs to nobody for a moment.
    """
    running = processes.read(host)
    moment = kernel_counters.read(host)
    if moment is None:
        return None
    facts = _around(host, machine, running, moment)
    if not _is_here(host):
        return facts
    return _settle(facts, lambda: kernel_counters.read(host))


def _settle(facts: LedgerFacts, read_again: Callable[[], Moment | None]) -> LedgerFacts:
    best, hidden = facts, abs(hidden_bytes(facts))
    for _ in range(_TRIES - 1):
        if hidden * _SETTLED_SHARE < facts.moment.meminfo["MemTotal"]:
            break
        time.sleep(_PAUSE_S)
        moment = read_again()
        if moment is None:
            break
        other = msgspec.structs.replace(facts, moment=moment)
        if abs(hidden_bytes(other)) < hidden:
            best, hidden = other, abs(hidden_bytes(other))
    return best


def _around(host: Host, machine: Machine, running: tuple[ProcessFacts, ...], moment: Moment) -> LedgerFacts:
    nvmap = machine.nvmap
    physical, source, evidence = _physical(host, machine)
    return LedgerFacts(
        physical_bytes=physical,
        physical_source=source,
        physical_evidence=evidence,
        moment=moment,
        tegra=machine.tegra,
        nvgpu=machine.tegra and not any(word.endswith(_WITHOUT_NVGPU) for word in machine.compatible),
        configuration=boot_configuration(machine.compatible, machine.l4t),
        boot_log=boot_log.read(host),
        regions=iomem.read(host),
        nodes=reserved_memory.read(host),
        tree_ranges=reserved_memory.read_ranges(host),
        cma=contiguous_memory.read(host),
        bounce=bounce_buffers.read(host),
        crash=crash_kernel.read(host),
        nvmap=nvmap,
        swaps=machine.swaps,
        files=shared_memory.read(host),
        segments_bytes=shared_memory.read_segments(host),
        processes=build_rows(
            running,
            nvmap.clients if nvmap is not None else (),
            uptime_s=processes.read_uptime(host),
            own_pid=os.getpid() if _is_here(host) else None,
        ),
        shared_mapped_bytes=sum((process.memory or {}).get("Pss_Shmem", 0) for process in running),
        slabs=kernel_counters.read_slabs(host),
        sockets_bytes=kernel_counters.read_sockets(host),
    )


def _physical(host: Host, machine: Machine) -> tuple[int | None, FactSource, str]:
    if machine.board_bytes is not None:
        return machine.board_bytes, "datasheet", f"{machine.board_name}'s data sheet"
    installed = physical_memory.read(host)
    return (None, "measured", "") if installed is None else (installed.bytes, "measured", installed.evidence)


def _is_here(host: Host) -> bool:
    return isinstance(host, LocalHost) and host.is_whole
