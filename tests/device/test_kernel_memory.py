import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfit.device.kernel_memory import (
    crash_kernel,
    kernel_image,
    parse_counters,
    parse_iomem,
    parse_memory_devices,
    parse_shared_segments,
    parse_slabs,
    parse_socket_pages,
    parse_vmalloc,
    parse_zones,
    system_ram,
)
from memfit.units import GIB, KIB, MIB

ZONEINFO = """\
Node 0, zone      DMA
  pages free     3840
        min      48
        present  3998
        managed  3840
      nr_free_pages 3840
  pagesets
    cpu: 0
              count:    10
              high:     0
              batch:    1
    cpu: 1
              count:    5
Node 0, zone   Normal
        present  1000
        managed  900
  pagesets
    cpu: 0
              count:    100
"""
VMALLOC = """\
0x0000-0x1111   20480 irq_init_percpu_irqstack+0xca/0x100 vmap
0x0000-0x1111    8192 acpi_os_map_iomem+0x1bc/0x1e0 phys=0x00000000000a0000 ioremap
0x0000-0x1111   20480 kernel_clone+0x94/0x3e0 pages=4 vmalloc N0=4
0x0000-0x1111   20480 dup_task_struct+0x94/0x3e0 pages=4 vmalloc N0=4
0x0000-0x1111   36864 load_module+0x56/0x230 pages=8 vmalloc N0=8
0x0000-0x1111   12288 load_module+0x56/0x230 pages=2 vmalloc
0x0000-0x1111    8192 unpurged vm_area
"""
IOMEM = """\
80000000-bdffffff : System RAM
  80010000-812effff : Kernel code
  812f0000-81caffff : reserved
  81cb0000-82457fff : Kernel data
26b8f0000-26d82ffff : reserved
100000000-26b8effff : System RAM
  1c0000000-1dfffffff : Crash kernel
"""


def test_zones_are_added_up() -> None:
    zones = parse_zones(ZONEINFO)
    assert zones.present_bytes == (3998 + 1000) * 4 * KIB
    assert zones.managed_bytes == (3840 + 900) * 4 * KIB
    assert zones.page_lists_bytes == 115 * 4 * KIB


def test_vmalloc_without_stacks_and_foreign_pages() -> None:
    areas = parse_vmalloc(VMALLOC)
    assert areas.total_bytes == 18 * 4 * KIB
    assert areas.stacks_bytes == 8 * 4 * KIB
    assert areas.holders == (("load_module", 40 * KIB),)


def test_slabs_by_their_pages() -> None:
    text = (
        "slabinfo - version: 2.1\n# name <active_objs> …\n"
        "dentry  21000 21420 192 21 1 : tunables 0 0 0 : slabdata 1020 1020 0\n"
        "inode cache? 1\n"
        "kmalloc-8k  40 44 8192 4 8 : tunables 0 0 0 : slabdata 11 11 0\n"
    )
    assert parse_slabs(text) == (("dentry", 1020 * 4 * KIB), ("kmalloc-8k", 88 * 4 * KIB))


def test_iomem_as_root_and_as_others_see_it() -> None:
    regions = parse_iomem(IOMEM)
    assert [span.bytes for span in system_ram(regions)] == [0x3E000000, 0x16B8F0000]
    assert kernel_image(regions) == 0x12E0000 + 0x7A8000
    assert crash_kernel(regions) == 512 * MIB
    hidden = "00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code\n"
    assert parse_iomem(hidden) == ()


def test_counters_and_sockets() -> None:
    assert parse_counters("nr_zspages 5\nbad line here\nnr_free_pages x\n") == {"nr_zspages": 5}
    assert parse_socket_pages("sockets: used 16\nTCP: inuse 1 mem 163\nUDP: inuse 0 mem 2\n") == 165 * 4 * KIB


def test_shared_segments() -> None:
    head = "key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap"
    row = "0 1 600 4194304 1 1 2 0 0 0 0 0 0 0 4194304 0"
    assert parse_shared_segments(f"{head}\n{row}\n") == 4 * MIB
    assert parse_shared_segments("") == 0


def memory_device(size: int, extended: int = 0) -> bytes:
    body = bytearray(0x28)
    body[0], body[1] = 17, 0x28
    body[0x0C:0x0E] = size.to_bytes(2, "little")
    body[0x1C:0x20] = extended.to_bytes(4, "little")
    return bytes(body) + b"DIMM 0\0\0"


@pytest.mark.parametrize(
    ("raw", "size"),
    [
        (memory_device(8192), 8 * GIB),
        (memory_device(0x7FFF, 65536) * 2, 128 * GIB),
        (memory_device(0x8000 | 512), 512 * KIB),
        (memory_device(0) + memory_device(0xFFFF) + memory_device(1024), GIB),
        (b"\x7f\x04\x00\x00\x00\x00" + memory_device(1024), GIB),
        (memory_device(1024)[:0x10], 0),
        (b"", 0),
    ],
)
def test_installed_memory_by_smbios(raw: bytes, size: int) -> None:
    assert parse_memory_devices(raw) == size


@given(st.binary(max_size=200), st.text(max_size=300))
def test_nothing_breaks_the_parsers(raw: bytes, text: str) -> None:
    assert parse_memory_devices(raw) >= 0
    for parse in (parse_zones, parse_vmalloc, parse_slabs, parse_iomem, parse_counters, parse_shared_segments):
        parse(text)
