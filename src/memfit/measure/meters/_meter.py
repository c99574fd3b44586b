"""What a meter is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias

import msgspec

from memfit.device.cgroup import Cgroup
from memfit.host import Host, LocalHost
from memfit.host.repeated import RepeatedFile, RepeatedHost
from memfit.measure._tree import Tree


class Series(NamedTuple):
    """A figure that a meter gives; ``unit`` is the suffix of a house name: ``bytes``, ``mw``, ``c``, ``hz``, ``s``."""

    name: str
    unit: str


RESIDENT = Series("resident", "bytes")
"""Of the process tree, by statm."""
LIMITED = Series("limited", "bytes")
"""Charged to the control group, page cache included."""
AVAILABLE = Series("available", "bytes")
"""MemAvailable of the machine."""

Values: TypeAlias = Mapping[Series, float]


@dataclass(frozen=True)
class Watched:
    """What a run's meters look at.

    Attributes:
        host: the machine.
        tree: the run's processes.
        cgroup: the group they are charged to, None without one.
        endpoint: where the engine serves, ``http://127.0.0.1:8080``; None where it does not.
    """

    host: Host
    tree: Tree
    cgroup: Cgroup | None = None
    endpoint: str | None = None

    @property
    def on_this_machine(self) -> bool:
        """Whether libraries and programs can be asked, and not only files."""
        return isinstance(self.host, LocalHost) and self.host.is_whole

    def file(self, path: str) -> RepeatedFile:
        """A file to read again and again."""
        return RepeatedFile(path, self.host)


class Reader(Protocol):
    """An open meter."""

    def read(self) -> Values:
        """The figures now; empty where there are none yet.

        Raises:
            ProbeError: the meter has gone, and will not come back.
        """
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


class Meter(msgspec.Struct, frozen=True, kw_only=True):
    """One way to look at a run.

    Attributes:
        summary: what it shows, in one line.
        units: those its series have.
        interval_s: how often it is read, at most.
        waits: reading it may wait for hardware or a server, so that it is read beside the others and not between them.
        open: gives a reader, or None where there is nothing to read here.
    """

    summary: str
    units: tuple[str, ...]
    interval_s: float
    waits: bool = False
    open: Callable[[Watched], Reader | None]


class Every:
    """Counts readings: the first is due, and then every ``n``th. What is dear is read less often than what is cheap."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._left = 0

    def is_due(self) -> bool:
        """Whether this reading is one of them."""
        self._left -= 1
        if self._left < 0:
            self._left = self._n - 1
        return self._left == self._n - 1


class HostReader:
    """A reader that asks one of the readers of ``device`` for everything it knows.

    Args:
        host: the machine; its files are kept open.
        ask: from a host to figures.
    """

    def __init__(self, host: Host, ask: Callable[[Host], Values]) -> None:
        self._host = RepeatedHost(host)
        self._ask = ask

    def read(self) -> Values:
        """See ``Reader.read``."""
        return self._ask(self._host)

    def close(self) -> None:
        """See ``Reader.close``."""
        self._host.close()


def open_if_it_answers(host: Host, ask: Callable[[Host], Values]) -> Reader | None:
    """A reader of ``ask``; None where it has nothing to say here.

    Raises:
        ProbeError: only root may ask.
    """
    reader = HostReader(host, ask)
    try:
        if reader.read():
            return reader
    except BaseException:
        reader.close()
        raise
    reader.close()
    return None
