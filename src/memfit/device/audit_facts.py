"""Everything an audit reads, and the order it is read in: what stands still first, what moves last and together."""

from __future__ import annotations

import msgspec

from memfit.device.audit_records import Boot, Clock, Power, Rail, Storage, Swap, Zone
from memfit.device.boards import BOARDS
from memfit.device.facts import (
    board,
    boot,
    clocks,
    containers,
    distribution,
    fans,
    kernel,
    nvmap,
    power,
    python,
    rails,
    release,
    storage,
    swaps,
    zones,
)
from memfit.device.identity import Identity
from memfit.device.ledger import LedgerFacts
from memfit.device.ledger_read import Machine, read_ledger_facts
from memfit.device.nvmap import NvMap
from memfit.device.release import Release
from memfit.device.thermal import Fan
from memfit.device.unseen import find_unseen
from memfit.errors import ProbeError
from memfit.host import Host
from memfit.host.snapshot import SnapshotHost


class AuditFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of one machine at one moment.

    Attributes:
        taken: when, of a recording; None for now.
        identity: None on a machine without a device tree.
        fans: None where nothing runs.
        ledger: what its memory adds up from; None where nothing runs.
        unseen: what could not be looked at, one sentence each.
    """

    host: str
    door: str
    taken: str | None = None
    identity: Identity | None = None
    release: Release | None = None
    kernel: str | None = None
    distribution: str | None = None
    python: str | None = None
    docker: str | None = None
    boot: Boot = Boot()
    power: Power = Power()
    clocks: tuple[Clock, ...] = ()
    zones: tuple[Zone, ...] = ()
    rails: tuple[Rail, ...] = ()
    fans: tuple[Fan, ...] | None = None
    storage: tuple[Storage, ...] = ()
    swaps: tuple[Swap, ...] = ()
    nvmap: NvMap | None = None
    ledger: LedgerFacts | None = None
    unseen: tuple[str, ...] = ()

    @property
    def jetson(self) -> bool:
        """Whether it is an NVIDIA Tegra."""
        return self.identity is not None and self.identity.tegra

    @property
    def version(self) -> tuple[int, ...]:
        """The release of L4T as numbers; empty where unknown."""
        text = self.release.l4t if self.release is not None else None
        parts = (text or "").split(".")
        return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else ()


def read_audit_facts(host: Host) -> AuditFacts:
    """All of it, through one host.

    Raises:
        ProbeError: it cannot be reached, or it runs and its memory cannot be read.
    """
    # asked before any fact: one that finds no file says nothing of a machine that nobody can reach
    taken = host.snapshot.taken if isinstance(host, SnapshotHost) else None
    identity, installed = board.FACT.read(host), release.FACT.read(host)
    engines = containers.FACT.read(host)
    areas, gpu_memory = swaps.FACT.read(host), nvmap.FACT.read(host)
    facts = AuditFacts(
        host=host.name,
        door=host.door,
        taken=taken,
        identity=identity,
        release=installed,
        kernel=kernel.FACT.read(host),
        distribution=distribution.FACT.read(host),
        python=python.FACT.read(host),
        docker=engines.docker if engines is not None else None,
        boot=boot.FACT.read(host) or Boot(),
        power=power.FACT.read(host) or Power(),
        clocks=clocks.FACT.read(host),
        zones=zones.FACT.read(host),
        rails=rails.FACT.read(host),
        fans=fans.FACT.read(host) if host.live else None,
        storage=storage.FACT.read(host),
        swaps=areas,
        nvmap=gpu_memory,
    )
    ledger = read_ledger_facts(host, describe(facts))
    if ledger is None and host.live:
        raise ProbeError(
            f"{host.name}: /proc/meminfo cannot be read, and an audit reads Linux",
            hint="an unpacked image: memfit audit --root FOLDER",
        )
    return msgspec.structs.replace(facts, ledger=ledger, unseen=find_unseen(host, facts.jetson, ledger))


def describe(facts: AuditFacts) -> Machine:
    """What must be known of the machine before its memory is added up."""
    identity = facts.identity
    known = BOARDS.get(identity.key) if identity is not None and identity.key is not None else None
    size = known.physical_bytes if known is not None else None
    return Machine(
        compatible=identity.compatible if identity is not None else (),
        l4t=facts.release.l4t if facts.release is not None else None,
        tegra=facts.jetson,
        board_bytes=size.value if size is not None else None,
        board_name=known.name if known is not None else "",
        swaps=facts.swaps,
        nvmap=facts.nvmap,
    )
