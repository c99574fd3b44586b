"""A device by name, by stated size, or this machine."""

from __future__ import annotations

import msgspec

from memfit.device.boards import BOARDS, Board
from memfit.device.machine import this_machine
from memfit.device.records import Device
from memfit.errors import ProbeError, UsageError
from memfit.host import Host


def find_device(name: str | None = None, *, memory_bytes: int | None = None, host: Host | None = None) -> Device:
    """The device to fit into.

    ``name`` is a board or None for this machine; ``memory_bytes`` overrides what a deployment may take there.

    Raises:
        UnknownName: no board of that name; the hint names the nearest.
        UsageError: a stated size of nothing, or none for a board whose MemTotal is not known.
        ProbeError: this machine cannot be read and no size is stated.
    """
    if memory_bytes is not None and memory_bytes <= 0:
        raise UsageError("--memory of 0 bytes", hint="state what the deployment may take, such as 7.4GiB")
    stated = memory_bytes is not None
    device = _board(name, stated=stated) if name is not None else _here(host, stated=stated)
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


def _board(name: str, *, stated: bool) -> Device:
    board = BOARDS.get(name)
    if board.capacity_bytes is None and not stated:
        raise UsageError(
            f"{board.name}: how much of its memory a deployment may take is not known",
            hint="state it, such as --memory 12GiB, or run memfit there",
        )
    total, system = board.total_bytes, board.system_bytes
    return Device(
        name=board.name,
        unified=bool(board.modules or board.carriers),
        physical_bytes=None if board.physical_bytes is None else board.physical_bytes.value,
        total_bytes=None if total is None else total.value,
        os_bytes=0 if system is None else system.value,
        capacity_bytes=board.capacity_bytes or 0,
        instructions=() if board.instructions is None else board.instructions.value,
        threads=1 if board.threads is None else board.threads.value,
        gpu=_gpu(board),
        grade=board.grade or "stated",
        source="; ".join(
            f"{what}: {figure.source}"
            for what, figure in (("MemTotal", total), ("system", system))
            if figure is not None
        ),
    )


def _gpu(board: Board) -> str | None:
    parts = [figure.value for figure in (board.gpu, board.compute_capability) if figure is not None]
    return " ".join(parts) or None
