"""What an item of the preflight list is, and the findings it judges."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from memfit.device.audit_records import Audit, Check, CheckVerdict
from memfit.device.boot_log import BootLog
from memfit.device.thermal import Fan


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What an item may look at.

    Attributes:
        audit: everything but its checks.
        jetson: whether it is one; most items ask nothing of other machines.
        release: of L4T as numbers, (36, 4, 7); empty where unknown.
        meminfo: sizes of ``/proc/meminfo``; empty of an unpacked image.
        boot_log: None where none was readable.
        fans: that Linux drives; None where nothing runs.
    """

    audit: Audit
    jetson: bool
    release: tuple[int, ...] = ()
    meminfo: dict[str, int] = {}
    boot_log: BootLog | None = None
    fans: tuple[Fan, ...] | None = None


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One question. ``judge`` is pure: from findings to a verdict, its evidence, and a command that mends it."""

    asks: str
    judge: Callable[[Findings], Answer]
    source: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What an item found; ``mend`` only where something is to be done."""

    verdict: CheckVerdict
    evidence: str
    mend: str | None = None


def passed(evidence: str) -> Answer:
    """Nothing to do."""
    return Answer(verdict="passed", evidence=evidence)


def failed(evidence: str, mend: str) -> Answer:
    """Something to do: the command for it, or the first step where hands are needed."""
    return Answer(verdict="failed", evidence=evidence, mend=mend)


def unknown(evidence: str) -> Answer:
    """It applies, and what would answer it could not be seen."""
    return Answer(verdict="unknown", evidence=evidence)


def not_applicable(evidence: str) -> Answer:
    """It asks nothing of this machine."""
    return Answer(verdict="not applicable", evidence=evidence)


NO_JETSON = not_applicable("not a Jetson")


def check(name: str, item: Item, findings: Findings) -> Check:
    """The record of one item."""
    answer = item.judge(findings)
    return Check(name=name, verdict=answer.verdict, evidence=answer.evidence, mend=answer.mend)
