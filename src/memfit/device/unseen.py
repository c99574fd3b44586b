"""What an audit could not look at, in words that say what is missing for it."""

from __future__ import annotations

from memfit.device.ledger import LedgerFacts
from memfit.errors import NeedsRoot, ProbeError
from memfit.host import Host

DEBUG_FILES = "/sys/kernel/debug"
_GUARDED = (
    ("/proc/vmallocinfo", "which modules and drivers hold vmalloc memory"),
    ("/proc/slabinfo", "which caches slabs are of"),
)


def find_unseen(host: Host, jetson: bool, ledger: LedgerFacts | None) -> tuple[str, ...]:
    """One sentence for each thing; none where root looked at a machine that shows all."""
    if ledger is None:
        return ("nothing runs in an unpacked image: its memory, processes and clocks are unknown",)
    found = [_processes(ledger), _debug_files(host, jetson)]
    if ledger.nvmap is not None and ledger.nvmap.unread_rows:
        found.append(f"what clients of NvMap hold: rows without a name or a size: {ledger.nvmap.unread_rows}")
    found += [f"{what}: only root may read {path}" for path, what in _GUARDED if _is_guarded(host, path)]
    if ledger.boot_log is None or ledger.boot_log.linux_bytes is None:
        found.append(
            "what the kernel took while it booted: neither /var/log/dmesg nor the kernel's log can be read"
            if ledger.boot_log is None
            else f"what the kernel took while it booted: {ledger.boot_log.source} no longer has the beginning"
        )
    if jetson and not ledger.regions:
        found.append("addresses of memory: only root is shown them in /proc/iomem")
    return tuple(sentence for sentence in found if sentence)


def _processes(ledger: LedgerFacts) -> str:
    unread = sum(row.pss_bytes is None for row in ledger.processes)
    if not unread:
        return ""
    count = f"{unread} of {len(ledger.processes)} processes"
    return f"shares of {count}: their smaps_rollup may not be read; root may read that of other users"


def _debug_files(host: Host, jetson: bool) -> str:
    if not jetson:
        return ""
    what = "NvMap's clients and page pool, use of CMA and SWIOTLB"
    try:
        names = host.list_dir(DEBUG_FILES)
    except NeedsRoot:
        return f"{what}: only root may read {DEBUG_FILES}"
    except ProbeError:
        names = ()
    return "" if names else f"{what}: debugfs is not mounted at {DEBUG_FILES}"


def _is_guarded(host: Host, path: str) -> bool:
    try:
        host.read_bytes(path, most=1)
    except NeedsRoot:
        return True
    except ProbeError:
        return False
    return False
