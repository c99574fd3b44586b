"""What every door to a machine offers."""

from __future__ import annotations

from typing import Protocol


class Host(Protocol):
    """A machine whose files can be read."""

    name: str

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
