"""``tegrastats``: one line of every release, from R28 on a TX1 to R38 on a Thor.

The line is a run of named groups whose names and order differ by module and release, so it is read by shape: a group of
a known shape is kept under the name it has, and what has no known shape is kept aside as it stands. tegrastats prints
MiB as MB, MHz without a unit, and "used" as MemTotal − MemFree − Buffers − Cached: slab counts as used, shared memory
does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

import msgspec

from memfit.units import KIB, MIB

_MHZ = 1_000_000
# longer lines are no tegrastats: the widest real one (Thor) has some 900 characters
_LONGEST_LINE = 16_384


class CpuLoad(msgspec.Struct, frozen=True, kw_only=True):
    """One core; both None where it is switched off."""

    load_percent: int | None = None
    now_hz: int | None = None


class UnitLoad(msgspec.Struct, frozen=True, kw_only=True):
    """GPU, memory controller, encoder …: load where the release prints it, and its clocks; off has neither."""

    name: str
    load_percent: int | None = None
    clocks_hz: tuple[int, ...] = ()
    off: bool = False


class ZoneReading(msgspec.Struct, frozen=True, kw_only=True):
    """A temperature in degrees Celsius."""

    name: str
    now_c: float


class RailReading(msgspec.Struct, frozen=True, kw_only=True):
    """A power rail: now, and its mean since tegrastats was started."""

    name: str
    now_mw: int
    mean_mw: int


class TegrastatsSample(msgspec.Struct, frozen=True, kw_only=True):
    """One line.

    Attributes:
        taken: local time as the line has it, ISO 8601 without a zone; None before R32.
        used_bytes, total_bytes: ``RAM``; total is MemTotal.
        free_block_bytes, free_blocks: ``lfb``: the largest free block and how many of it there are.
        swap_used_bytes, swap_total_bytes, swap_cached_bytes: ``SWAP``; None where there is none.
        cpus: every core.
        units: everything with a load or a clock: ``GR3D``, ``EMC``, ``NVENC0``, ``VIC``, ``APE`` …
        zones, rails: temperatures and power.
        unread: groups of no known shape, as they stand.
    """

    taken: str | None = None
    used_bytes: int
    total_bytes: int
    free_block_bytes: int | None = None
    free_blocks: int | None = None
    swap_used_bytes: int | None = None
    swap_total_bytes: int | None = None
    swap_cached_bytes: int | None = None
    cpus: tuple[CpuLoad, ...] = ()
    units: tuple[UnitLoad, ...] = ()
    zones: tuple[ZoneReading, ...] = ()
    rails: tuple[RailReading, ...] = ()
    unread: tuple[str, ...] = ()

    def unit(self, name: str) -> UnitLoad | None:
        """The unit of this name without ``_FREQ``: ``unit("GR3D")``."""
        return next((unit for unit in self.units if unit.name == name), None)


_SCALE = {"B": 1, "kB": KIB, "KB": KIB, "MB": MIB, "GB": 1024 * MIB}
_RAM = re.compile(
    r"RAM ([0-9]{1,9})/([0-9]{1,9})(kB|MB|GB) ?(?:\(lfb ([0-9]{1,9})x([0-9]{1,9})(kB|MB|GB)\))?", re.ASCII
)
_STAMP = re.compile(r"([0-9]{2})-([0-9]{2})-([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2})", re.ASCII)
_NAME = r"([A-Za-z][A-Za-z0-9_.-]{0,40})"
_CORE = re.compile(r"([0-9]{1,3})%(?:@([0-9]{1,6}))?", re.ASCII)


class _Groups:
    """What a line's groups add up to while it is read."""

    def __init__(self) -> None:
        self.fields: dict[str, int] = {}
        self.cpus: tuple[CpuLoad, ...] = ()
        self.units: list[UnitLoad] = []
        self.zones: list[ZoneReading] = []
        self.rails: list[RailReading] = []


def parse_line(line: str) -> TegrastatsSample | None:
    """A line of tegrastats; None where it is none (no ``RAM used/total``). Never raises."""
    line = line.strip()
    if len(line) > _LONGEST_LINE:
        return None
    ram = _RAM.search(line)
    if ram is None:
        return None
    scale = _SCALE[ram[3]]
    groups = _Groups()
    unread = _read_groups(line[ram.end() :].strip(), groups)
    return TegrastatsSample(
        taken=_taken(line[: ram.start()]),
        used_bytes=int(ram[1]) * scale,
        total_bytes=int(ram[2]) * scale,
        free_blocks=int(ram[4]) if ram[4] else None,
        free_block_bytes=int(ram[5]) * _SCALE[ram[6]] if ram[5] else None,
        cpus=groups.cpus,
        units=tuple(groups.units),
        zones=tuple(groups.zones),
        rails=tuple(groups.rails),
        unread=tuple(unread),
        **groups.fields,
    )


def _taken(text: str) -> str | None:
    found = _STAMP.search(text)
    if found is None:
        return None
    month, day, year, hour, minute, second = map(int, found.groups())
    try:
        return datetime(year, month, day, hour, minute, second).isoformat()
    except ValueError:  # 13-45-2026
        return None


def _swap(found: re.Match[str], into: _Groups) -> None:
    into.fields["swap_used_bytes"] = int(found[1]) * _SCALE[found[3]]
    into.fields["swap_total_bytes"] = int(found[2]) * _SCALE[found[3]]
    if found[4]:
        into.fields["swap_cached_bytes"] = int(found[4]) * _SCALE[found[5]]


def _cpu(found: re.Match[str], into: _Groups) -> None:
    shared = found[2]  # R28 has one clock for all cores, behind the bracket
    cores = []
    for word in found[1].split(","):
        core = _CORE.fullmatch(word.strip())
        clock = None if core is None else core[2] or shared
        cores.append(
            CpuLoad(
                load_percent=None if core is None else int(core[1]), now_hz=None if clock is None else int(clock) * _MHZ
            )
        )
    into.cpus = tuple(cores)


def _zone(found: re.Match[str], into: _Groups) -> None:
    into.zones.append(ZoneReading(name=found[1], now_c=float(found[2])))


def _rail(found: re.Match[str], into: _Groups) -> None:
    into.rails.append(RailReading(name=found[1], now_mw=int(found[2]), mean_mw=int(found[3])))


def _unit(found: re.Match[str], into: _Groups) -> None:
    clocks = found[3] or found[4] or ""
    into.units.append(
        UnitLoad(
            name=found[1].removesuffix("_FREQ"),
            load_percent=int(found[2]) if found[2] else None,
            clocks_hz=tuple(int(clock) * _MHZ for clock in clocks.split(",") if clock),
        )
    )


def _off(found: re.Match[str], into: _Groups) -> None:
    into.units.append(UnitLoad(name=found[1].removesuffix("_FREQ"), off=True))


def _bare(found: re.Match[str], into: _Groups) -> None:
    into.units.append(UnitLoad(name=found[1], clocks_hz=(int(found[2]) * _MHZ,)))


def _on_chip(found: re.Match[str], into: _Groups) -> None:
    """IRAM is memory inside of the chip (TX1, TX2): read, and no part of DRAM."""


def _background(found: re.Match[str], into: _Groups) -> None:
    for name, percent in (("MTS fg", found[1]), ("MTS bg", found[2])):
        into.units.append(UnitLoad(name=name, load_percent=int(percent)))


# the order matters: a shape that is a part of another stands after it
_SHAPES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], _Groups], None]], ...] = tuple(
    (re.compile(pattern, re.ASCII), act)
    for pattern, act in (
        (r"SWAP ([0-9]{1,9})/([0-9]{1,9})(kB|MB|GB)(?: ?\(cached ([0-9]{1,9})(kB|MB|GB)\))?(?= |$)", _swap),
        (r"IRAM [0-9]{1,6}/[0-9]{1,6}kB ?\(lfb [0-9]{1,6}kB\)(?= |$)", _on_chip),
        (r"(?i:cpu) \[([^\]]{0,2048})\](?:@([0-9]{1,6}))?(?= |$)", _cpu),
        (r"MTS fg ([0-9]{1,3})% bg ([0-9]{1,3})%(?= |$)", _background),
        (_NAME + r"@(-?[0-9]{1,4}(?:\.[0-9]{1,4})?)C(?= |$)", _zone),
        (_NAME + r" ([0-9]{1,9})(?:mW)?/([0-9]{1,9})(?:mW)?(?= |$)", _rail),
        (_NAME + r" ([0-9]{1,3})%(?:@(?:\[([0-9,]{1,200})\]|([0-9]{1,6})))?(?= |$)", _unit),
        (_NAME + r" ()@(?:\[([0-9,]{1,200})\]|([0-9]{1,6}))(?= |$)", _unit),
        (_NAME + r" off(?= |$)", _off),
        (_NAME + r" ([0-9]{1,6})(?= |$)", _bare),
    )
)


def _read_groups(text: str, into: _Groups) -> list[str]:
    """Fill ``into`` from ``text``, and return the words that belong to no known group."""
    at, unread = 0, []
    while at < len(text):
        for pattern, act in _SHAPES:
            if found := pattern.match(text, at):
                act(found, into)
                at = found.end() + 1
                break
        else:
            end = text.find(" ", at)
            end = len(text) if end < 0 else end
            if word := text[at:end]:
                unread.append(word)
            at = end + 1
    return unread
