"""A device by name, by stated size, or this machine."""

from __future__ import annotations

import msgspec

from memfit.device.boards import BOARDS
from memfit.device.machine import this_machine
from memfit.device.records import Device
from memfit.errors import ProbeError, UsageError
from memfit.host import Host


def find_device(name: str | None = None, *, memory_bytes: int | None = None, host: Host | None = None) -> Device:
    """The device to fit into.

    ``name`` is a board or None for this machine; ``memory_bytes`` overrides what a deployment may take there.

    Raises:
        UnknownName: no board of that name; the hint names the nearest.
        UsageError: a stated size of nothing.
        ProbeError: this machine cannot be read and no size is stated.
    """
    if memory_bytes is not None and memory_bytes <= 0:
        raise UsageError("--memory of 0 bytes", hint="state what the deployment may take, such as 7.4GiB")
    device = _board(name) if name is not None else _here(host, stated=memory_bytes is not None)
    if memory_bytes is None:
        return device
    return msgspec.structs.replace(
        device,
        name=device.name if name is not None else "stated memory",
        capacity_bytes=memory_bytes,
        total_bytes=device.total_bytes if name is not None else None,
        os_bytes=0,
        grade="stated",
        source="the stated size",
    )


def _here(host: Host | None, *, stated: bool) -> Device:
    try:
        return this_machine(host)
    except ProbeError:
        if not stated:
            raise
        # a stated size needs nothing from a machine that cannot be read, such as a laptop without /proc
        return Device(name="stated memory", unified=False, capacity_bytes=0, grade="stated", source="the stated size")


def _board(name: str) -> Device:
    board = BOARDS.get(name)
    return Device(
        name=board.name,
        unified=True,
        physical_bytes=board.physical_bytes,
        total_bytes=board.total_bytes,
        os_bytes=board.os_bytes,
        capacity_bytes=board.total_bytes - board.os_bytes,
        instructions=board.instructions,
        threads=board.threads,
        gpu=board.gpu,
        grade=board.grade,
        source=board.source,
    )
