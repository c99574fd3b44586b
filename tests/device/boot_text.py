"""Boot logs for tests, written for them: the wording of the kernel, figures of an Orin Nano 8GB."""

ORIN_NANO = """\
[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x410fd421]
[    0.000000] Linux version 5.15.148-tegra (builder@host) #1 SMP PREEMPT
[    0.000000] Machine model: NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super
[    0.000000] OF: reserved mem: initialized node linux,cma, compatible id shared-dma-pool
[    0.000000] Early memory node ranges
[    0.000000]   node   0: [mem 0x0000000080000000-0x00000000bdffffff]
[    0.000000]   node   0: [mem 0x00000000c2000000-0x00000000fffdffff]
[    0.000000]   node   0: [mem 0x00000000fffe0000-0x00000000ffffffff]
[    0.000000]   node   0: [mem 0x0000000100000000-0x000000026b8effff]
[    0.000000]   node   0: [mem 0x000000026b8f0000-0x000000026d82ffff]
[    0.000000]   node   0: [mem 0x000000026d830000-0x000000027259ffff]
[    0.000000]   node   0: [mem 0x0000000272f00000-0x0000000272ffffff]
[    0.000000]   node   0: [mem 0x0000000276000000-0x0000000277ffffff]
[    0.000000] percpu: Embedded 29 pages/cpu s79512 r8192 d31080 u118784
[    0.000000] Dentry cache hash table entries: 1048576 (order: 11, 8388608 bytes, linear)
[    0.000000] Inode-cache hash table entries: 524288 (order: 10, 4194304 bytes, linear)
[    0.000000] software IO TLB: mapped [mem 0x00000000fbfe0000-0x00000000fffe0000] (64MB)
[    0.000000] Memory: 7525864K/8133248K available (19328K kernel code, 4066K rwdata, 10040K rodata, 7616K init, \
521K bss, 345240K reserved, 262144K cma-reserved)
[    0.000000] SLUB: HWalign=64, Order=0-3, MinObjects=0, CPUs=6, Nodes=1
[    0.000000] ftrace: allocating 60416 entries in 236 pages
[    0.000000] ftrace: allocated 236 pages with 5 groups
[    0.010000] Mount-cache hash table entries: 16384 (order: 5, 131072 bytes, linear)
[    0.077072] DMA: preallocated 1024 KiB GFP_KERNEL pool for atomic allocations
[    0.077204] DMA: preallocated 1024 KiB GFP_KERNEL|GFP_DMA pool for atomic allocations
[    0.077291] DMA: preallocated 1024 KiB GFP_KERNEL|GFP_DMA32 pool for atomic allocations
[    0.300000] TCP established hash table entries: 65536 (order: 7, 524288 bytes, linear)
[    0.332840] Freeing initrd memory: 8048K
[   14.945669] Freeing unused kernel memory: 7616K
"""
