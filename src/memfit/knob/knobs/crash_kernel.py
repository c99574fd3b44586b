"""No memory kept for a crash kernel: given back at once where none is loaded, and not taken again at the next boot."""

from __future__ import annotations

import msgspec

from memfit.device.audit_records import Audit
from memfit.device.facts import boot_log
from memfit.device.facts import crash_kernel as fact
from memfit.host import Host
from memfit.knob._command_line import PATHS, why_not
from memfit.knob._command_words import current
from memfit.knob._knob import Knob
from memfit.knob.changes import Change, ValueChange
from memfit.knob.records import Effect, Gain, Words, not_here
from memfit.units import format_bytes

_SIZE = "/sys/kernel/kexec_crash_size"
_WORD = "crashkernel"
_WORDS: Words = {_WORD: None}


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Memory for a crash kernel on one machine.

    Attributes:
        size_bytes: what is kept now. shrinkable: the kernel gives it back when told to.
        loaded: a crash kernel lies in it.
        asked: the command line asks for it.
        refusal: why the command line stays as it is.
    """

    size_bytes: int
    shrinkable: bool
    loaded: bool
    asked: bool
    refusal: str

    @property
    def live(self) -> bool:
        """Whether it can be given back at once."""
        return self.shrinkable and not self.loaded and self.size_bytes > 0

    @property
    def lasting(self) -> bool:
        """Whether the next boot can be kept from taking it."""
        return self.asked and not self.refusal


def _read(host: Host, audit: Audit) -> Kept | None:
    found = fact.FACT.read(host)
    size = sum(term.bytes for term in audit.terms if term.name == _WORD)
    asked = bool(current(audit, _WORD))
    if not size and not asked:
        return None
    return Kept(
        size_bytes=size,
        shrinkable=found is not None and found.size_bytes > 0,
        loaded=found is not None and found.loaded,
        asked=asked,
        refusal=why_not(host, audit, _WORDS) if asked else "",
    )


def _effect(state: Kept) -> Effect:
    if not state.size_bytes:
        return not_here("crashkernel= is set, and the kernel kept nothing for it")
    if not (state.live or state.lasting):
        loaded = "a crash kernel is loaded"
        return not_here(
            "; ".join(filter(None, (loaded if state.loaded else "", state.refusal))) or "it cannot be shrunk"
        )
    cost = "no memory dump after a kernel panic"
    if not state.lasting:
        cost += f"; it is taken again at the next boot: {state.refusal or 'no crashkernel= is on the command line'}"
    elif state.live:
        cost += "; undo takes it again at the next boot"
    source = _SIZE if state.shrinkable else "the boot log"
    size = state.size_bytes
    evidence = f"{source}: {format_bytes(size)}" + (", a crash kernel is loaded" if state.loaded else "")
    return Effect(
        applies=True,
        gain=Gain(low_bytes=size, likely_bytes=size, high_bytes=size, evidence=evidence),
        when="live" if state.live else "reboot",
        cost=cost,
    )


def _change(state: Kept) -> tuple[Change, ...]:
    if not state.live:
        return ()
    return (ValueChange(path=_SIZE, text="0", why="memory for a crash kernel is given back"),)


KNOB = Knob(
    summary="keep no memory for a crash kernel (kdump)",
    layer="boot",
    paths=(*PATHS, *fact.FACT.paths, *boot_log.FACT.paths),
    read=_read,
    effect=_effect,
    change=_change,
    words=lambda state: _WORDS if state.lasting else {},
    aliases=("crashkernel", "kdump"),
)
