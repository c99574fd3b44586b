"""How a model's weights would lie in zram: pages of them packed one by one, counted as the kernel counts them.

The libraries are those that the kernel's own code was made from, where they are installed; nothing is written. What
zram takes for a page is not its packed size but the piece of memory that its allocator has for it; both are modelled:

- ``drivers/block/zram/zram_drv.c``: a page of one repeated word takes nothing; one that packs to
  ``huge_class_size`` or more is kept as it is.
- ``mm/zsmalloc.c``: pieces come in classes 16 bytes apart, those that cut as many out of as many pages merged.
"""

from __future__ import annotations

import ctypes
import os
import re
import stat
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from memfit.agent.failure import Failure, of_system

if TYPE_CHECKING:
    from memfit.agent.tree import Tree

PAGE_BYTES = 4096
_PAGES = 1024
"""Of one model: with so many the ratio of a mixed file is within a hundredth of that of all its pages."""
_WEIGHTS = (".gguf", ".safetensors", ".bin", ".pt", ".pth")
_MOST_FILES = 4096

# mm/zsmalloc.c with pages of 4 KiB: ZS_HANDLE_SIZE, ZS_MIN_ALLOC_SIZE, ZS_SIZE_CLASS_DELTA
_HANDLE_BYTES, _SMALLEST_BYTES, _STEP_BYTES = 8, 32, 16
_LONG_CHAINS = (6, 2)
"""From this kernel on pieces are cut from up to 8 pages (CONFIG_ZSMALLOC_CHAIN_SIZE), before from up to 4."""
_ZSTD_LEVEL = 3  # ZSTD_CLEVEL_DEFAULT, zram's own where nobody says another

_GGUF, _VERSIONS = b"GGUF", (2, 3)
_WIDTHS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_NUMBER, _STRING, _ARRAY = 4, 8, 9
_MOST_HEADER_BYTES, _MOST_KEY_BYTES, _MOST_DEPTH = 256 << 20, 1 << 16, 4


class Class(NamedTuple):
    """Pieces of one size: ``pieces`` of them are cut from ``pages``."""

    size_bytes: int
    pages: int
    pieces: int


def measure(tree: Tree, path: str) -> dict[str, Any]:
    """Weights at ``path``, a file or a folder of files, by every algorithm whose library is here.

    Returns:
        ``file``, ``file_bytes`` of its weights, ``pages`` that were tried, and ``stored_bytes`` by algorithm.

    Raises:
        Failure: nothing is there, it is no model, or no library is here.
    """
    packers = _packers()
    if not packers:
        raise Failure("refused", "neither liblz4 nor libzstd nor liblzo2 is here", hint="apt install liblz4-1")
    try:
        parts = [(name, *_span(name)) for name in _files(tree, path)]
        size = sum(end - begin for _, begin, end in parts)
        pages = list(_sample(parts, size))
    except OSError as error:
        raise of_system(path, error) from error
    if not pages:
        raise Failure("refused", f"{path}: it holds no page of weights")
    chain = 8 if _kernel() >= _LONG_CHAINS else 4
    stored = {name: taken_bytes([packed(page) for page in pages], chain) for name, packed in packers.items()}
    return {"file": path, "file_bytes": size, "pages": len(pages), "stored_bytes": stored}


def classes(chain: int) -> list[Class]:
    """The allocator's, from the smallest; one that has others merged into it stands there once (``zs_create_pool``)."""
    found: list[Class] = []
    for size in range(PAGE_BYTES, _SMALLEST_BYTES - 1, -_STEP_BYTES):
        pages = _pages_of(size, chain)
        one = Class(size, pages, pages * PAGE_BYTES // size)
        if not found or (found[-1].pages, found[-1].pieces) != (one.pages, one.pieces):
            found.append(one)
    return found[::-1]


def taken_bytes(sizes: list[int | None], chain: int, *, alone: bool = False) -> int:
    """What pages take that pack to these sizes in bytes; None is a page of one repeated word.

    A class's last pages count by the share of them that is used, as the next ones fill them; whole where these are
    ``alone`` in a device, which is what its ``mm_stat`` then says.
    """
    known = classes(chain)
    huge = next(one.size_bytes for one in reversed(known) if one.pages != 1 and one.pieces != 1) - (_HANDLE_BYTES - 1)
    counts: dict[Class, int] = {}
    for size in sizes:
        if size is not None:
            whole = PAGE_BYTES if size >= huge else size + _HANDLE_BYTES
            one = next((one for one in known if one.size_bytes >= whole), known[-1])
            counts[one] = counts.get(one, 0) + 1
    if alone:
        return sum(-(-count // one.pieces) * one.pages * PAGE_BYTES for one, count in counts.items())
    return round(sum(count * one.pages * PAGE_BYTES / one.pieces for one, count in counts.items()))


def _pages_of(size: int, chain: int) -> int:
    """So many pages that least is left over; one where a page is cut without a rest."""
    if chain == 4:  # get_pages_per_zspage, up to 6.1: by whole percents
        used = [(pages * PAGE_BYTES // size * size * 100 // (pages * PAGE_BYTES), -pages) for pages in range(1, 5)]
        return -max(used)[1]
    if size & (size - 1) == 0:
        return 1
    return min(range(1, chain + 1), key=lambda pages: (pages * PAGE_BYTES % size, pages))


def _packers() -> dict[str, Callable[[bytes], int | None]]:
    """What packs a page, by the name that the kernel has for it."""
    found: dict[str, Callable[[bytes], int | None]] = {}
    room = ctypes.create_string_buffer(2 * PAGE_BYTES)
    lz4 = _library("liblz4.so.1")
    if lz4 is not None:
        found["lz4"] = _plain(lambda page: int(lz4.LZ4_compress_default(page, room, PAGE_BYTES, len(room))))
    lzo = _library("liblzo2.so.2")
    if lzo is not None:
        work, length = ctypes.create_string_buffer(16 * 8192), ctypes.c_size_t()

        def with_lzo(page: bytes) -> int:
            lzo.lzo1x_1_compress(page, ctypes.c_size_t(PAGE_BYTES), room, ctypes.byref(length), work)
            return int(length.value)

        found["lzo"] = _plain(with_lzo)
    zstd = _library("libzstd.so.1")
    if zstd is not None:
        zstd.ZSTD_compress.restype = ctypes.c_size_t
        sizes = [ctypes.c_size_t(size) for size in (len(room), PAGE_BYTES)]
        found["zstd"] = _plain(lambda page: int(zstd.ZSTD_compress(room, sizes[0], page, sizes[1], _ZSTD_LEVEL)))
    return found


def _plain(pack: Callable[[bytes], int]) -> Callable[[bytes], int | None]:
    return lambda page: None if page == page[:8] * (PAGE_BYTES // 8) else pack(page)


def _library(name: str) -> Any:
    try:
        return ctypes.CDLL(name)
    except OSError:
        return None


def _kernel() -> tuple[int, int]:
    found = re.match(r"(\d+)\.(\d+)", os.uname().release)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _files(tree: Tree, path: str) -> list[str]:
    """Their paths here; a link leads where it would on the machine itself."""

    def here(of: str) -> str:
        return os.path.join(tree.root, tree.real(of).lstrip("/"))  # noqa: PTH118  stdlib, small

    real = here(path)
    if not os.path.isdir(real):  # noqa: PTH112  stdlib, small
        return [real]
    names = sorted(name for name in os.listdir(real) if name.endswith(_WEIGHTS))  # noqa: PTH208
    if not names:
        raise Failure("refused", f"{path}: no weights in this folder", hint=f"files that end in {', '.join(_WEIGHTS)}")
    return [here(f"{path.rstrip('/')}/{name}") for name in names[:_MOST_FILES]]


def _opened(name: str) -> Any:
    """A file for reading, and nothing else: to open a pipe would wait, and some devices act by it.

    Links were followed by then, within the root: one that is left leads nowhere there, and maybe somewhere here.
    """
    mode = os.lstat(name).st_mode
    if not stat.S_ISREG(mode):
        what = "it is a link that leads nowhere" if stat.S_ISLNK(mode) else "it is no file"
        raise Failure("refused", f"{name}: {what}")
    handle = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise Failure("refused", f"{name}: it is no file")
    return os.fdopen(handle, "rb")


def _span(name: str) -> tuple[int, int]:
    """Where weights begin in a file, on a page of it, and where they end."""
    with _opened(name) as file:
        found = os.fstat(file.fileno())
        head = file.read(8)
        begin = 0
        if head[:4] == _GGUF:
            begin = _gguf_data(file, name)
        elif name.endswith(".safetensors") and len(head) == 8:
            begin = 8 + int(struct.unpack("<Q", head)[0])
    return min(-(-begin // PAGE_BYTES) * PAGE_BYTES, found.st_size), found.st_size


def _sample(parts: list[tuple[str, int, int]], size: int) -> Any:
    """Pages spread evenly over all parts."""
    pages = [(end - begin) // PAGE_BYTES for _, begin, end in parts]
    count = min(_PAGES, sum(pages))
    chosen = [number * sum(pages) // count for number in range(count)]
    first = 0
    for number_of_part, (name, begin, _) in enumerate(parts):
        held = pages[number_of_part]
        with _opened(name) as file:
            for number in chosen:
                if first <= number < first + held:
                    page = os.pread(file.fileno(), PAGE_BYTES, begin + (number - first) * PAGE_BYTES)
                    if len(page) == PAGE_BYTES:
                        yield page
        first += held


def _gguf_data(file: Any, name: str) -> int:
    """Where the data of a GGUF file begin: behind its header, which is walked and not kept."""
    header = _Header(file)
    try:
        file.seek(4)
        version, tensors, fields = header.number("I"), header.number("Q"), header.number("Q")
        if version not in _VERSIONS:
            raise ValueError(f"version {version}")
        alignment = 32
        for _ in range(fields):
            key = file.read(min(header.number("Q"), _MOST_KEY_BYTES))
            found = header.value(header.number("I"))
            alignment = found if key == b"general.alignment" and found else alignment
        for _ in range(tensors):
            header.skip(header.number("Q"))
            header.skip(8 * header.number("I") + 4 + 8)
    except (struct.error, KeyError, OverflowError, ValueError) as error:
        raise Failure("refused", f"{name}: its header cannot be read ({error})") from error
    end: int = file.tell()
    return -(-end // alignment) * alignment


class _Header:
    """What of a header has no fixed length."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def number(self, kind: str) -> int:
        """The next, as ``struct`` calls it."""
        return int(struct.unpack("<" + kind, self._file.read(struct.calcsize("<" + kind)))[0])

    def skip(self, count: int) -> None:
        """Go on behind so many bytes."""
        self._file.seek(count, os.SEEK_CUR)
        if self._file.tell() > _MOST_HEADER_BYTES:
            raise ValueError("it is too long")

    def value(self, kind: int, depth: int = 0) -> int:
        """Walk over a field's value; what a number of 32 bits says, else 0."""
        if kind == _NUMBER:
            return self.number("I")
        if kind == _STRING:
            self.skip(self.number("Q"))
        elif kind == _ARRAY and depth < _MOST_DEPTH:
            inner, count = self.number("I"), self.number("Q")
            if inner in _WIDTHS:
                self.skip(_WIDTHS[inner] * count)
            else:
                for _ in range(count):
                    self.value(inner, depth + 1)
        else:
            self.skip(_WIDTHS[kind])
        return 0
