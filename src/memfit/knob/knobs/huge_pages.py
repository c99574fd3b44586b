"""Give huge pages only to programs that ask for them: others take what they touch, some run slower."""

from __future__ import annotations

import re

import msgspec

from memfit.device.audit_records import Audit
from memfit.device.meminfo import read_meminfo
from memfit.device.reading import read_text
from memfit.errors import ProbeError
from memfit.host import Host
from memfit.knob._knob import Knob
from memfit.knob._sysctl import PATHS
from memfit.knob.records import Effect, Gain, not_here
from memfit.units import format_bytes

_PATH = "/sys/kernel/mm/transparent_hugepage/enabled"
_ASKED = "madvise"
_CHOSEN = re.compile(r"\[(\w+)\]")
_ON_COMMAND_LINE = re.compile(r"(?:^|\s)transparent_hugepage=(\w+)")


class HugePages(msgspec.Struct, frozen=True, kw_only=True):
    """Who gets huge pages now (``always``, ``madvise``, ``never``), how much they are, and what the boot says."""

    now: str
    held_bytes: int
    booted: str = ""


def read(host: Host, audit: Audit) -> HugePages | None:
    """None where nothing runs, or the kernel has none."""
    chosen = _CHOSEN.search(read_text(host, _PATH) or "")
    if chosen is None:
        return None
    try:
        held = read_meminfo(host).get("AnonHugePages", 0)
    except ProbeError:
        held = 0
    booted = _ON_COMMAND_LINE.search(audit.boot.command_line or "")
    return HugePages(now=chosen[1], held_bytes=held, booted=booted[1] if booted else "")


def effect(state: HugePages) -> Effect:
    """How much of a huge page its program uses nobody counts: between nothing and nearly all may come back."""
    if state.now != "always":
        return not_here(f"it is {state.now}")
    if state.booted:
        return not_here(f"the kernel's command line says transparent_hugepage={state.booted}")
    return Effect(
        applies=True,
        gain=Gain(
            high_bytes=state.held_bytes,
            evidence=f"AnonHugePages {format_bytes(state.held_bytes)}; what of it is used is not counted",
        ),
        when="reboot",  # what was given stays until its program ends
        cost="programs with large tables that do not ask for huge pages run slower",
        risk="low",
        saves=False,
    )


KNOB = Knob(
    summary="give huge pages only to programs that ask for them",
    layer="user",
    paths=(_PATH, "/proc/meminfo", *PATHS),
    read=read,
    effect=effect,
    settings=lambda state: {_PATH: _ASKED},
    aliases=("transparent_hugepage", "thp"),
)
