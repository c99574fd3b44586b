"""What an audit finds: facts of a device, the ledger of its DRAM, who holds what, and the preflight checks."""

from __future__ import annotations

from typing import Literal

import msgspec

from memfit.device.carveouts import Carveout

Layer = Literal["firmware", "boot", "kernel", "drivers", "user", "cache", "free"]
FactSource = Literal["measured", "source", "datasheet", "inferred", "default"]
CheckVerdict = Literal["passed", "failed", "not applicable", "unknown"]
When = Literal["live", "reboot", "reflash"]


class Stack(msgspec.Struct, frozen=True, kw_only=True):
    """Software of a device; None where it is not installed or could not be read.

    ``l4t`` as ``36.4.4``, ``jetpack`` as ``6.2.1``; ``python`` of ``/usr/bin/python3``.
    """

    l4t: str | None = None
    jetpack: str | None = None
    kernel: str | None = None
    distribution: str | None = None
    cuda: str | None = None
    tensorrt: str | None = None
    cudnn: str | None = None
    python: str | None = None
    docker: str | None = None


class Boot(msgspec.Struct, frozen=True, kw_only=True):
    """How the device booted."""

    command_line: str | None = None
    slot: str | None = None
    secure_boot: bool | None = None
    root_device: str | None = None


class PowerMode(msgspec.Struct, frozen=True, kw_only=True):
    """A mode of nvpmodel; ids differ by board, so the name is what counts."""

    id: int
    name: str


class Power(msgspec.Struct, frozen=True, kw_only=True):
    """Power mode by name, with its alternatives."""

    mode: PowerMode | None = None
    modes: tuple[PowerMode, ...] = ()
    default_id: int | None = None


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """A clock now and the range it may take."""

    name: str
    now_hz: int | None
    low_hz: int | None = None
    high_hz: int | None = None


class Zone(msgspec.Struct, frozen=True, kw_only=True):
    """A thermal zone; ``trip_c`` is its lowest passive or hot trip point."""

    name: str
    now_c: float
    trip_c: float | None = None


class Rail(msgspec.Struct, frozen=True, kw_only=True):
    """A power rail of an INA3221."""

    name: str
    now_mw: int


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """A file system and its device.

    ``kind``: ``nvme``, ``emmc``, ``sd``, ``usb``, ``sata``, ``network``, ``virtual``, ``unknown``.
    """

    mount: str
    device: str
    kind: str
    total_bytes: int
    free_bytes: int


class Swap(msgspec.Struct, frozen=True, kw_only=True):
    """A swap area; ``kind``: ``zram``, ``file``, ``partition``, ``zram, not swap``. The last three are zram's alone."""

    name: str
    kind: str
    size_bytes: int
    used_bytes: int
    priority: int = 0
    original_bytes: int | None = None
    compressed_bytes: int | None = None
    cost_bytes: int | None = None


class NvMapClient(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds NvMap memory; ``name`` may hold spaces."""

    user: str
    name: str
    pid: int | None
    bytes: int


class EngineSupport(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an inference engine runs on this stack, and from which version on."""

    engine: str
    runs: bool | None
    minimum_version: str | None = None
    reason: str = ""
    source: str = ""


class DramTerm(msgspec.Struct, frozen=True, kw_only=True):
    """One item of the ledger of physical memory.

    Attributes:
        name: ``struct_pages``, ``cma_free``, ``anonymous``, ``page_cache`` …
        layer: who took it, from the bottom up.
        bytes: how much.
        source: how it is known.
        holder: the carveout, process or unit, where it has one.
        evidence: the file or line it was read from.
        evictable: the kernel may take it back for an application.
    """

    name: str
    layer: Layer
    bytes: int
    source: FactSource
    holder: str | None = None
    evidence: str = ""
    evictable: bool = False


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """A known cause of a part that the ledger could not itemise; its bytes are a range and never added in."""

    cause: str
    low_bytes: int
    high_bytes: int
    source: str


class ProcessRow(msgspec.Struct, frozen=True, kw_only=True):
    """A process and who started it.

    Attributes:
        unit: systemd unit, container or session it belongs to; None where it has none.
        kind: ``service``, ``session``, ``container``, ``kernel``, ``other``.
        role: its kind of use: ``desktop``, ``audio``, ``python``, ``snap``, ``docker``, ``inference`` ….
        pss_bytes: None where only root may read it; ``rss_bytes`` is then all that is known.
        shared_bytes: its share of shared memory. kernel_bytes: what the kernel keeps for it, estimated from its threads
            and its size.
    """

    pid: int
    name: str
    unit: str | None
    kind: str = "other"
    role: str = ""
    pss_bytes: int | None
    anonymous_bytes: int = 0
    rss_bytes: int = 0
    swapped_bytes: int = 0
    shared_bytes: int = 0
    kernel_bytes: int = 0


class Reclaim(msgspec.Struct, frozen=True, kw_only=True):
    """Memory that could be taken back: a range, when it takes effect, and what is given up."""

    name: str
    low_bytes: int
    high_bytes: int
    when: When
    cost: str
    evidence: str


class KnobRow(msgspec.Struct, frozen=True, kw_only=True):
    """A setting that would give memory back here, as ``memfit apply --knob NAME`` makes it.

    Attributes:
        applies: whether there is something to change that nobody needs; ``reason`` says why not.
        low_bytes, likely_bytes, high_bytes: MemAvailable after it less MemAvailable before.
        when: it takes effect at once, or after a boot.
        cost: what is given up. risk: ``none``, ``low``, ``high``.
        saves: it gives memory back; what does not is done only where somebody names it.
        cuda_bytes: what CUDA can allocate more after it; None where that is the same as MemAvailable.
        takes: what value it takes (``--knob NAME=VALUE``), in words; empty where it takes none.
    """

    name: str
    summary: str
    layer: str
    applies: bool
    low_bytes: int
    likely_bytes: int
    high_bytes: int
    when: When
    cost: str
    risk: str
    reason: str = ""
    evidence: str = ""
    saves: bool = True
    cuda_bytes: int | None = None
    takes: str = ""


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that only its owner can decide; memfit never does it.

    Attributes:
        name: ``idle_python``, a unit, a container, a mount, ``swap_file`` …
        bytes: what it holds now; 0 where it is a matter of how things are set up.
        words: what it is, and what to do about it.
    """

    name: str
    bytes: int
    words: str


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One item of the preflight list; ``mend`` is the command that mends it."""

    name: str
    verdict: CheckVerdict
    evidence: str
    mend: str | None = None


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """Where every MB of a device went.

    Attributes:
        board: the board's name from the catalog, or the device tree's model; None on other machines.
        physical_bytes: DRAM on the module; None where neither firmware nor catalog says.
        linux_bytes: MemTotal.
        available_bytes: MemAvailable.
        cuda_bytes: what CUDA can allocate now; None without NvMap.
        unexplained_bytes: physical (or MemTotal, where physical is unknown) less the sum of ``terms``; None of an
            image, whose memory nobody has counted.
        carveouts: what firmware keeps memory for, by the boot configuration of this module and release. They name
            what the terms of the firmware layer measure, and are no part of any sum.
        knobs: settings that would give memory back; asked by ``memfit.knob``, so empty where only the audit was made.
        advice: what no knob touches, the largest first: big processes on no deny-list, idle interpreters, files in
            memory, how an engine is started. Empty as ``knobs`` is, and no part of any sum.
        unseen: what only root could have read, one sentence each.
    """

    host: str
    door: str
    taken: str
    board: str | None
    board_key: str | None = None
    compatible: tuple[str, ...] = ()
    l4t: str | None
    jetpack: str | None
    stack: Stack
    boot: Boot
    power: Power = Power()
    clocks: tuple[Clock, ...] = ()
    zones: tuple[Zone, ...] = ()
    rails: tuple[Rail, ...] = ()
    storage: tuple[Storage, ...] = ()
    swaps: tuple[Swap, ...] = ()
    engines: tuple[EngineSupport, ...] = ()
    physical_bytes: int | None
    linux_bytes: int | None
    available_bytes: int | None
    cuda_bytes: int | None = None
    unexplained_bytes: int | None
    explanations: tuple[Explanation, ...] = ()
    carveouts: tuple[Carveout, ...] = ()
    terms: tuple[DramTerm, ...]
    processes: tuple[ProcessRow, ...] = ()
    nvmap: tuple[NvMapClient, ...] = ()
    reclaims: tuple[Reclaim, ...] = ()
    knobs: tuple[KnobRow, ...] = ()
    advice: tuple[Advice, ...] = ()
    checks: tuple[Check, ...] = ()
    unseen: tuple[str, ...] = ()
    schema_version: int = 1
