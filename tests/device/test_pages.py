"""Pages in memory of a range of addresses and of mapped files: of this very process."""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from memfit.device.pages import Mapped, left_out_bytes, mapped, mapped_bytes, touched_bytes
from memfit.units import KIB

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
    assert mapped(2**22 + 1) is None


def test_a_mapped_file_counts_with_the_pages_that_were_read(tmp_path: Path) -> None:
    path = tmp_path / "weights with a space.gguf"
    path.write_bytes(bytes(32 * PAGE))
    files = [str(path), str(tmp_path / "absent")]
    assert mapped_bytes(mapped(HERE) or {}, files) == 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as area:
        area.madvise(mmap.MADV_RANDOM)
        area[0], area[9 * PAGE]
        found = mapped(HERE)
        # the kernel may map what is cached around a page that faults (fault_around_bytes)
        assert found is not None
        assert 2 * PAGE <= mapped_bytes(found, files) <= 32 * PAGE
        inside = found[path.stat().st_ino]
        assert inside.pss_bytes == inside.resident_bytes
    assert mapped_bytes(mapped(HERE) or {}, files) == 0


SMAPS = """\
5500-5600 r-xp 00000000 08:01 77 /usr/lib/a library.so
Rss:                 100 kB
Pss:                  25 kB
5600-5700 rw-p 00000000 08:01 77 /usr/lib/a library.so
Rss:                   8 kB
Pss:                   8 kB
5700-5800 rw-s 00000000 00:01 78 /memfd:shared (deleted)
Rss:                 400 kB
Pss:                 200 kB
5800-5900 rw-p 00000000 00:00 0 [heap]
Rss:                 900 kB
Pss:                 900 kB
"""


def test_files_are_told_from_memory(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "smaps").write_text(SMAPS)
    assert mapped(7, proc=tmp_path) == {77: Mapped(108 * KIB, 33 * KIB)}


def test_what_others_have_mapped_too_is_what_pss_leaves_out() -> None:
    one = {1: Mapped(100, 25), 2: Mapped(50, 50)}
    assert left_out_bytes([]) == 0
    assert left_out_bytes([one]) == 75
    # two of four that have mapped it: half of it is theirs already
    assert left_out_bytes([one, {1: Mapped(100, 25)}]) == 50
    # all that have: nothing is left out
    assert left_out_bytes([{1: Mapped(100, 50)}, {1: Mapped(100, 50)}]) == 0
