"""Pages in memory of a range of addresses and of mapped files: of this very process."""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from memfit.device.pages import Mapped, mapped, touched_bytes

PAGE = mmap.PAGESIZE
HERE = os.getpid()
MADV_NOHUGEPAGE = 15


@pytest.fixture
def fresh() -> Iterator[tuple[mmap.mmap, int]]:
    """64 pages that nobody has touched, and where they lie."""
    area = mmap.mmap(-1, 64 * PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    area.madvise(MADV_NOHUGEPAGE)
    anchor = ctypes.c_char.from_buffer(area)
    address = ctypes.addressof(anchor)
    if touched_bytes(HERE, address, PAGE) is None:
        pytest.skip("/proc/self/pagemap may not be read here")
    yield area, address
    del anchor
    area.close()


def test_only_what_was_touched_counts(fresh: tuple[mmap.mmap, int]) -> None:
    area, address = fresh
    assert touched_bytes(HERE, address, 64 * PAGE) == 0
    for page in (0, 1, 7, 63):
        area[page * PAGE] = 1
    assert touched_bytes(HERE, address, 64 * PAGE) == 4 * PAGE
    assert touched_bytes(HERE, address + 2 * PAGE, 5 * PAGE) == 0
    assert touched_bytes(HERE, address + 2 * PAGE, 6 * PAGE) == PAGE


def test_pages_at_the_ends_count_with_the_part_inside(fresh: tuple[mmap.mmap, int]) -> None:
    area, address = fresh
    area[0], area[3 * PAGE] = 1, 1
    assert touched_bytes(HERE, address + PAGE - 100, 100) == 100
    assert touched_bytes(HERE, address + PAGE - 100, 2 * PAGE + 100 + 50) == 150
    assert touched_bytes(HERE, address + 10, 20) == 20
    assert touched_bytes(HERE, address + PAGE + 10, 20) == 0


def test_a_buffer_larger_than_what_is_read_at_once() -> None:
    size = 600 * (1 << 20)
    with mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as area:
        area.madvise(MADV_NOHUGEPAGE)
        for offset in (0, size // 2, size - 1):
            area[offset] = 1
        anchor = ctypes.c_char.from_buffer(area)
        found = touched_bytes(HERE, ctypes.addressof(anchor), size)
        del anchor
    assert found in (3 * PAGE, None)


def test_nothing_is_known_of_a_process_that_has_ended() -> None:
    assert touched_bytes(2**22 + 1, 4096, 4096) is None
    assert mapped(2**22 + 1, ["/bin/sh"]) is None


def test_a_mapped_file_counts_with_the_pages_that_were_read(tmp_path: Path) -> None:
    path = tmp_path / "weights with a space.gguf"
    path.write_bytes(bytes(32 * PAGE))
    assert mapped(HERE, [str(path)]) == Mapped(0, 0)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as area:
        area.madvise(mmap.MADV_RANDOM)
        area[0], area[9 * PAGE]
        found = mapped(HERE, [str(path), str(tmp_path / "absent")])
        # the kernel may map what is cached around a page that faults (fault_around_bytes)
        assert found is not None
        assert 2 * PAGE <= found.resident_bytes <= 32 * PAGE
        assert found.pss_bytes == found.resident_bytes
    assert mapped(HERE, [str(path)]) == Mapped(0, 0)
