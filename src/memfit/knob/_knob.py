"""What a knob is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from memfit.device.audit_records import Audit, Layer
from memfit.host import Host
from memfit.knob.changes import Change
from memfit.knob.records import Bolder, Effect, Lines, Need, Wish, Words


class Knob(msgspec.Struct, frozen=True, kw_only=True):
    """One reversible setting of a system.

    Attributes:
        summary: what it does, a clause without a subject: ``mask the print server``.
        layer: where the memory lies that it gives back.
        spares: what needs it; one of them keeps it from applying.
        paths: shell patterns of what ``read`` touches, as those of a fact: they are fetched over SSH and recorded.
        read: what it must know of a machine, as a record of its own; None where the machine has nothing of the kind.
        effect: what it would do there; a pure function of that record.
        change: the changes; a pure function of that record, empty where nothing is to be done.
        words: what it wants of the kernel's command line; all knobs' words together make one change of it. Whether the
            boot loader's file takes them is asked of these very words (``offers.py``).
        bolder: a second value, which gives more and may break something; None where there is none here.
        settings: values of the kernel that shall last, texts by their paths below ``/proc/sys`` and ``/sys``; those of
            several knobs share a file (``_sysctl.py``), so they are no changes of one knob.
        lines: lines of drop-ins of services, which share one file a unit (``_drop_ins.py``) as ``settings`` do.
        takes: what may stand behind ``NAME=``, in words; empty where nothing may.
        at: the state as somebody asks for it, from what was read and the wish; ``effect`` and all that follows are then
            asked about that one. It is pure, and raises UsageError where the wish has no meaning.
        aliases: other names.
    """

    summary: str
    layer: Layer
    spares: frozenset[Need] = frozenset()
    paths: tuple[str, ...] = ()
    read: Callable[[Host, Audit], Any]
    effect: Callable[[Any], Effect]
    change: Callable[[Any], tuple[Change, ...]] = lambda state: ()
    words: Callable[[Any], Words] | None = None
    bolder: Callable[[Any], Bolder | None] | None = None
    settings: Callable[[Any], dict[str, str]] | None = None
    lines: Callable[[Any], Lines] | None = None
    takes: str = ""
    at: Callable[[Any, Wish], Any] | None = None
    aliases: tuple[str, ...] = ()
