"""The record of a machine's container engines."""

from __future__ import annotations

import msgspec


class Containers(msgspec.Struct, frozen=True, kw_only=True):
    """Container engines.

    Attributes:
        engines: ``dockerd``, ``podman``, ``containerd``, those that are installed.
        docker: Docker's version by the package database.
        nvidia_runtime: whether containers can be given the GPU.
        nvidia_default: whether Docker gives it without being asked (``--runtime nvidia``).
    """

    engines: tuple[str, ...] = ()
    docker: str | None = None
    nvidia_runtime: bool = False
    nvidia_default: bool = False
