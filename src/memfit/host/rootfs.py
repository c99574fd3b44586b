"""An unpacked image of a machine that does not run."""

from __future__ import annotations

from pathlib import Path

from memfit.errors import ProbeError
from memfit.host._inside import Inside, kind_of
from memfit.host._problem import problem
from memfit.host.records import Disk, Door

# What a kernel fills while it runs. Where something is mounted there (a chroot), it tells of this machine and not of
# the image's.
_OF_A_KERNEL = ("proc", "sys", "dev")


class RootfsHost:
    """An unpacked image: what is installed, and nothing that only a running kernel knows.

    Links, also absolute ones, are followed within the image and never out of it.

    Raises:
        ProbeError: the folder is not there.
    """

    def __init__(self, folder: Path) -> None:
        if kind_of(folder) != "folder":
            raise ProbeError(f"{folder}: no such folder", hint="unpack the image's root file system, and name its top")
        self._inside = Inside(folder, without=_OF_A_KERNEL)
        self._folder = folder
        self.door: Door = "rootfs"
        self.live = False
        self.name = self._called()

    def read_bytes(self, path: str, *, most: int = 1 << 20) -> bytes:
        """See ``Host.read_bytes``."""
        try:
            return self._inside.read_bytes(path, most)
        except OSError as error:
            raise problem(path, error) from error

    def list_dir(self, path: str) -> tuple[str, ...]:
        """See ``Host.list_dir``."""
        try:
            return self._inside.list_dir(path)
        except OSError as error:
            raise problem(path, error) from error

    def read_link(self, path: str) -> str:
        """See ``Host.read_link``."""
        try:
            return self._inside.read_link(path)
        except OSError as error:
            raise problem(path, error) from error

    def glob(self, pattern: str) -> tuple[str, ...]:
        """See ``Host.glob``."""
        return self._inside.glob(pattern)

    def disk(self, path: str) -> Disk:
        """See ``Host.disk``."""
        raise ProbeError(f"{path}: an unpacked image does not tell how large its disk is")

    def _called(self) -> str:
        try:
            words = self._inside.read_bytes("/etc/hostname", 256).decode("utf-8", "replace").split()
        except OSError:
            words = []
        return words[0] if words else self._folder.resolve().name
