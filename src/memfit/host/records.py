"""What every door to a machine offers."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

Door = Literal["local", "ssh", "rootfs", "recorded"]


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """Space of the file system that holds a path (statvfs)."""

    total_bytes: int
    free_bytes: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What is fetched or recorded of a machine, and how much of it at most.

    Attributes:
        paths: shell patterns of files, folders and links, as the facts declare them.
        most_file_bytes: of one file; the rest is left out (the package database of a Jetson takes some 4 MB).
        most_bytes: of all files together.
        most_names: in one folder.
        file_s: for one call to the kernel: a driver may block.
        total_s: for everything.
    """

    paths: tuple[str, ...]
    most_file_bytes: int = 8 << 20
    most_bytes: int = 64 << 20
    most_names: int = 1 << 16
    file_s: float = 2.0
    total_s: float = 60.0


class Host(Protocol):
    """A machine whose files can be read, and only read.

    Attributes:
        name: as people call it; ``this machine`` has its node name.
        door: how it is reached.
        live: whether its kernel runs: ``/proc`` and ``/sys`` are there. An unpacked image has none.
    """

    name: str
    door: Door
    live: bool

    def read_bytes(self, path: str, *, most: int = 1 << 20) -> bytes:
        """The first ``most`` bytes of a file.

        Raises:
            NeedsRoot: only root may read it.
            ProbeError: it is not there or cannot be read.
        """
        ...

    def list_dir(self, path: str) -> tuple[str, ...]:
        """Names in a folder, sorted.

        Raises:
            ProbeError: it is not there or cannot be read.
        """
        ...

    def read_link(self, path: str) -> str:
        """What a symbolic link points to, as it is written there.

        Raises:
            ProbeError: it is not there or is no link.
        """
        ...

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Absolute paths that match a shell pattern (``*``, ``?``, ``[…]``; never across ``/``), sorted; maybe none."""
        ...

    def disk(self, path: str) -> Disk:
        """Space where ``path`` lies.

        Raises:
            ProbeError: it is not there.
        """
        ...
