"""Give huge pages only to programs that ask for them: others take what they touch, some run slower."""

from __future__ import annotations

import re

import msgspec

from memfit.device.audit_records import Audit
from memfit.device.meminfo import read_meminfo
from memfit.device.reading import read_text
from memfit.errors import ProbeError
from memfit.host import Host
from memfit.knob._asked import no_such
from memfit.knob._knob import Knob
from memfit.knob._sysctl import PATHS, min_free_at_boot
from memfit.knob.records import Effect, Gain, Wish, not_here
from memfit.units import format_bytes

_PATH = "/sys/kernel/mm/transparent_hugepage/enabled"
_TAKES = "who gets them: always, madvise (who asks) or never"
_MODES = ("always", "madvise", "never")
_ASKED = "madvise"
_CHOSEN = re.compile(r"\[(\w+)\]")
_ON_COMMAND_LINE = re.compile(r"(?:^|\s)transparent_hugepage=(\w+)")


class HugePages(msgspec.Struct, frozen=True, kw_only=True):
    """Who gets huge pages now and then (``always``, ``madvise``, ``never``), how much they are, what the boot says.

    ``min_free_by`` is a file of somebody's that sets ``min_free_kbytes``; empty where there is none.
    """

    now: str
    held_bytes: int
    booted: str = ""
    after: str = _ASKED
    asked: bool = False
    min_free_by: str = ""


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
    theirs = min_free_at_boot(host)
    return HugePages(
        now=chosen[1],
        held_bytes=held,
        booted=booted[1] if booted else "",
        min_free_by=theirs[0] if theirs else "",
    )


def effect(state: HugePages) -> Effect:
    """How much of a huge page its program uses nobody counts: between nothing and nearly all may come back."""
    if state.now == state.after or (state.now != "always" and not state.asked):
        return not_here(f"it is {state.now}")
    if state.booted:
        return not_here(f"the kernel's command line says transparent_hugepage={state.booted}")
    if state.after == "always":
        return Effect(
            applies=True,
            gain=Gain(evidence=f"{state.now} now; how much programs will take that they do not use nobody can say"),
            cost="every program may take 2 MiB where it uses 4 KiB, and from the next boot on the kernel keeps more "
            f"memory free for them{_kept(state)}",
            risk="low",
            saves=False,
        )
    return Effect(
        applies=True,
        gain=Gain(
            high_bytes=state.held_bytes,
            evidence=f"AnonHugePages {format_bytes(state.held_bytes)}; what of it is used is not counted",
        ),
        when="reboot",  # what was given stays until its program ends
        cost="programs with large tables run slower"
        + (" unless they ask for huge pages" if state.after == _ASKED else ", also those that ask for huge pages")
        + _kept(state),
        risk="low",
        saves=False,
    )


def _kept(state: HugePages) -> str:
    """For the cost: the kernel would raise at a boot what somebody set, so memfit sets it again behind it."""
    if not state.min_free_by:
        return ""
    return (
        f"; {state.min_free_by} sets vm.min_free_kbytes, which is kept as it says today: undo this before changing it"
    )


def at(state: HugePages, wish: Wish) -> HugePages:
    """With who somebody says shall get them."""
    after = wish.value.strip().lower()
    if after not in _MODES:
        raise no_such("huge_pages", wish.value, _TAKES)
    return msgspec.structs.replace(state, after=after, asked=True)


KNOB = Knob(
    summary="give huge pages only to programs that ask for them",
    layer="user",
    paths=(_PATH, "/proc/meminfo", *PATHS),
    read=read,
    effect=effect,
    settings=lambda state: {_PATH: state.after},
    takes=_TAKES,
    at=at,
    aliases=("transparent_hugepage", "thp"),
)
