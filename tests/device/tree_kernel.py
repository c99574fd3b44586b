"""What the kernel of a written tree shows about memory: meminfo, zones, the boot log, iomem, debugfs."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trees import Machine

_PAGE = 4  # kB
_DEBUG = "/sys/kernel/debug"


def write_kernel(machine: Machine) -> dict[str, str | bytes | Path]:
    """Files below ``/proc`` and debugfs; the boot log."""
    files: dict[str, str | bytes | Path] = {
        "/proc/meminfo": meminfo(machine),
        "/proc/zoneinfo": _zones(machine),
        "/proc/vmstat": _vmstat(machine),
        "/proc/buddyinfo": _buddies(machine),
        "/proc/iomem": _iomem(machine),
        "/proc/slabinfo": _slabs(machine),
        "/proc/vmallocinfo": _vmalloc(machine),
        "/proc/cmdline": machine.command_line + "\n",
        "/proc/sys/kernel/osrelease": machine.kernel + "\n",
        "/proc/version": f"Linux version {machine.kernel} (buildbrain@mobile) #1 SMP PREEMPT\n",
        "/proc/sys/vm/min_free_kbytes": "45056\n",
        "/var/log/dmesg": boot_log(machine),
        "/sys/kernel/kexec_crash_size": "0\n",
        f"{_DEBUG}/swiotlb/io_tlb_nslabs": f"{machine.swiotlb // 2}\n",
        f"{_DEBUG}/swiotlb/io_tlb_used": "0\n",
        f"{_DEBUG}/cma/linux,cma/count": f"{machine.cma // _PAGE}\n",
        f"{_DEBUG}/cma/linux,cma/used": f"{machine.cma_drivers // _PAGE}\n",
        f"{_DEBUG}/cma/linux,cma/order_per_bit": "0\n",
        f"{_DEBUG}/nvmap/iovmm/clients": _clients(machine),
        f"{_DEBUG}/nvmap/iovmm/free_size": _free_size(machine),
        f"{_DEBUG}/nvmap/stats/total_memory": f"{sum(size for _, _, size in machine.nvmap) * 1024}\n",
    }
    if machine.pool is None:
        files[f"{_DEBUG}/nvmap/pagepool/page_pool_available_pages"] = f"{machine.page_pool // _PAGE}\n"
        files["/sys/module/nvmap/parameters/pool_size"] = f"{machine.pool_limit // _PAGE}\n"
    return files


def meminfo(machine: Machine) -> str:
    """``/proc/meminfo`` of 5.15; what no one reads is modelled."""
    swap_free = machine.swap_total - machine.swap_used
    inactive_anon = machine.anon + machine.shmem - machine.anon // 6
    file = machine.buffers + machine.cached - machine.shmem
    sizes = {
        "MemTotal": machine.total,
        "MemFree": machine.free,
        "MemAvailable": machine.available,
        "Buffers": machine.buffers,
        "Cached": machine.cached,
        "SwapCached": machine.swap_cached,
        "Active": machine.anon // 6 + file * 2 // 3,
        "Inactive": inactive_anon + file - file * 2 // 3,
        "Active(anon)": machine.anon // 6,
        "Inactive(anon)": inactive_anon,
        "Active(file)": file * 2 // 3,
        "Inactive(file)": file - file * 2 // 3,
        "Unevictable": 35_392,
        "Mlocked": 0,
        "SwapTotal": machine.swap_total,
        "SwapFree": swap_free,
        "Dirty": 16,
        "Writeback": 0,
        "AnonPages": machine.anon,
        "Mapped": machine.mapped,
        "Shmem": machine.shmem,
        "KReclaimable": machine.slab_reclaimable,
        "Slab": machine.slab,
        "SReclaimable": machine.slab_reclaimable,
        "SUnreclaim": machine.slab - machine.slab_reclaimable,
        "KernelStack": machine.stacks,
        "PageTables": machine.page_tables,
        "NFS_Unstable": 0,
        "Bounce": 0,
        "WritebackTmp": 0,
        "CommitLimit": machine.swap_total + machine.total // 2,
        "Committed_AS": machine.anon * 3,
        "VmallocTotal": 133_143_592_960,
        "VmallocUsed": machine.vmalloc,
        "VmallocChunk": 0,
        "Percpu": machine.percpu,
        "HardwareCorrupted": 0,
        "AnonHugePages": 0,
        "ShmemHugePages": 0,
        "ShmemPmdMapped": 0,
        "FileHugePages": 0,
        "FilePmdMapped": 0,
        "CmaTotal": machine.cma,
        "CmaFree": machine.cma_free,
    }
    text = "".join(f"{name + ':':<16}{size:>8} kB\n" for name, size in sizes.items())
    pages = "".join(f"{name + ':':<16}{0:>8}\n" for name in ("HugePages_Total", "HugePages_Free"))
    return f"{text}{pages}Hugepagesize:       2048 kB\nHugetlb:               0 kB\n"


def boot_log(machine: Machine) -> str:
    """What the kernel said; other lines stand in between, as they do."""
    code, data, rodata, bss = machine.image
    available = machine.total - machine.cma - machine.init - machine.initrd
    reserved = machine.present - available - machine.cma
    end = machine.dram_base + machine.dram * 1024
    entries = machine.dentry_entries
    order = (entries * 8 // 4096).bit_length() - 1
    base = end - 0x3000_0000
    lines = [
        "Booting Linux on physical CPU 0x0000000000 [0x410fd421]",
        f"Linux version {machine.kernel} (buildbrain@mobile) #1 SMP PREEMPT",
        f"Machine model: {machine.model}",
        "efi: EFI v2.70 by EDK II",
        "secureboot: Secure boot disabled",
        f"Reserved memory: created CMA memory pool at 0x{base:016x}, size {machine.cma // 1024} MiB",
        "OF: reserved mem: initialized node linux,cma, compatible id shared-dma-pool",
        "Early memory node ranges",
        *(f"  node   0: [mem 0x{start:016x}-0x{last - 1:016x}]" for start, last in ranges(machine)),
        f"Initmem setup node 0 [mem 0x{machine.dram_base:016x}-0x{end - 1:016x}]",
        "psci: PSCIv1.1 detected in firmware.",
        "percpu: Embedded 29 pages/cpu s79512 r8192 d31080 u118784",
        f"Kernel command line: {machine.command_line}",
        f"Dentry cache hash table entries: {entries} (order: {order}, {entries * 8} bytes, linear)",
        f"Inode-cache hash table entries: {entries // 2} (order: {order - 1}, {entries * 4} bytes, linear)",
        "mem auto-init: stack:all(zero), heap alloc:off, heap free:off",
        f"software IO TLB: mapped [mem 0x00000000fbfe0000-0x{0xFBFE_0000 + machine.swiotlb * 1024:016x}]"
        f" ({machine.swiotlb // 1024}MB)",
        f"Memory: {available}K/{machine.present}K available ({code}K kernel code, {data}K rwdata, {rodata}K rodata, "
        f"{machine.init}K init, {bss}K bss, {reserved}K reserved, {machine.cma}K cma-reserved)",
        f"SLUB: HWalign=64, Order=0-3, MinObjects=0, CPUs={machine.cpus}, Nodes=1",
        "arch_timer: cp15 timer(s) running at 31.25MHz (phys).",
        "DMA: preallocated 1024 KiB GFP_KERNEL pool for atomic allocations",
        "DMA: preallocated 1024 KiB GFP_KERNEL|GFP_DMA pool for atomic allocations",
        "DMA: preallocated 1024 KiB GFP_KERNEL|GFP_DMA32 pool for atomic allocations",
        "iommu: Default domain type: Translated",
        f"Freeing initrd memory: {machine.initrd}K",
        f"Freeing unused kernel memory: {machine.init}K",
        f"nvmap_page_pool_init: nvmap page pool size: {machine.pool_limit // _PAGE} pages "
        f"({machine.pool_limit // 1024} MB)",
        "cfg80211: Loading compiled-in X.509 certificates for regulatory database",
    ]
    return "".join(f"[{number * 0.004:12.6f}] {line}\n" for number, line in enumerate(lines))


def ranges(machine: Machine) -> list[tuple[int, int]]:
    """Addresses that Linux was handed, cut where a part may not be touched."""
    end = machine.dram_base + machine.dram * 1024
    edges = {machine.dram_base, end}
    for start, last in (*machine.holes, *machine.unmapped):
        edges |= {start, last}
    cuts = sorted(edges)
    holes = set(machine.holes)
    return [pair for pair in pairwise(cuts) if not any(start <= pair[0] < last for start, last in holes)]


def _iomem(machine: Machine) -> str:
    lines, unmapped = [], set(machine.unmapped)
    code, data, rodata, bss = machine.image
    for at, (start, last) in enumerate(ranges(machine)):
        lines.append(f"{start:08x}-{last - 1:08x} : {'reserved' if (start, last) in unmapped else 'System RAM'}")
        if at == 0:
            place = start + (1 << 20)
            for name, size in (("Kernel code", code), ("Kernel data", data + rodata + bss)):
                lines.append(f"  {place:08x}-{place + size * 1024 - 1:08x} : {name}")
                place += size * 1024
    return "0c000000-0c3fffff : c360000.pmc\n" + "\n".join(lines) + "\n"


def _zones(machine: Machine) -> str:
    low = min((0x1_0000_0000 - machine.dram_base) // 1024, machine.present) - 64 * 1024
    parts = []
    for name, present, managed in (
        ("DMA", low, low - 90_000),
        ("Normal", machine.present - low, machine.total - low + 90_000),
    ):
        lists = machine.page_lists // 2 // _PAGE
        held = machine.page_lists // _PAGE - lists if name == "Normal" else lists
        share, left = divmod(held, machine.cpus)
        cpus = "".join(
            f"    cpu: {cpu}\n              count: {share + (cpu < left)}\n              high:  0\n"
            f"              batch: 63\n  vm stats threshold: 32\n"
            for cpu in range(machine.cpus)
        )
        parts.append(
            f"Node 0, zone {name:>8}\n  pages free     {machine.free // _PAGE // 2}\n        min      5632\n"
            f"        low      7040\n        high     8448\n        spanned  {present // _PAGE}\n"
            f"        present  {present // _PAGE}\n        managed  {managed // _PAGE}\n        cma      0\n"
            f"        protection: (0, 0, 0, 0)\n  pagesets\n{cpus}  node_unreclaimable:  0\n"
        )
    return "".join(parts)


def _vmstat(machine: Machine) -> str:
    counts = {
        "nr_free_pages": machine.free // _PAGE,
        "nr_anon_pages": machine.anon // _PAGE,
        "nr_mapped": machine.mapped // _PAGE,
        "nr_file_pages": (machine.buffers + machine.cached + machine.swap_cached) // _PAGE,
        "nr_shmem": machine.shmem // _PAGE,
        "nr_free_cma": machine.cma_free // _PAGE,
        "pgfault": 48_210_133,
        "pgmajfault": 21_544,
        "pswpin": machine.swap_cached // _PAGE,
        "pswpout": machine.swap_used // _PAGE,
        "oom_kill": 0,
    }
    return "".join(f"{name} {count}\n" for name, count in counts.items())


def _buddies(machine: Machine) -> str:
    """Free pages in blocks of 4 MiB, the rest in pages."""
    blocks, single = divmod(machine.free // _PAGE, 1024)
    orders = [single, *([0] * 9), blocks]
    return f"Node 0, zone   Normal {' '.join(f'{count:6d}' for count in orders)}\n"


def _slabs(machine: Machine) -> str:
    weights = {"ext4_inode_cache": 30, "dentry": 14, "inode_cache": 8, "radix_tree_node": 10, "kmalloc-4k": 12,
               "kmalloc-1k": 9, "vm_area_struct": 4, "task_struct": 5, "kernfs_node_cache": 6}  # fmt: skip
    pages, whole = machine.slab // _PAGE, sum(weights.values()) + 2
    counts = {name: pages * weight // whole for name, weight in weights.items()}
    counts["buffer_head"] = pages - sum(counts.values())
    head = "slabinfo - version: 2.1\n# name <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>\n"
    return head + "".join(
        f"{name:<20} {count * 4} {count * 4} 1024 4 1 : tunables 0 0 0 : slabdata {count} {count} 0\n"
        for name, count in counts.items()
    )


def _vmalloc(machine: Machine) -> str:
    """Stacks of 16 KiB, one line each, then a few areas; all together VmallocUsed."""
    place = 0xFFFF_8000_0800_0000
    areas = [("kernel_clone+0x9c/0x3e8", 4)] * (machine.stacks // 16)
    rest = (machine.vmalloc - machine.stacks // 16 * 16) // _PAGE
    share = {"load_module+0x6d8/0x2998": rest // 2, "nvmap_page_pool_init+0x40/0x200": rest // 20,
             "zram_reset_device+0x20/0x90": rest // 10}  # fmt: skip
    share["bpf_prog_alloc_no_stats+0x40/0x138"] = rest - sum(share.values())
    lines = []
    for caller, pages in (*areas, *share.items()):
        size = (pages + 1) * 4096
        lines.append(f"0x{place:016x}-0x{place + size:016x} {size:7d} {caller} pages={pages} vmalloc\n")
        place += size
    lines.append(f"0x{place:016x}-0x{place + 8192:016x}    8192 of_iomap+0x50/0x80 phys=0x000000000c360000 ioremap\n")
    return "".join(lines)


def _clients(machine: Machine) -> str:
    rows = [f"user {name:>32} {pid:>8} {size:>10}K\n" for name, pid, size in machine.nvmap]
    total = sum(size for _, _, size in machine.nvmap)
    return f"CLIENT                        PROCESS      PID        SIZE\n{''.join(rows)}total {total:>50}K\n"


def _free_size(machine: Machine) -> str:
    return f"Max allocatable IOVMM memory: {(machine.available - machine.cma_free) * 1024} bytes\n"
