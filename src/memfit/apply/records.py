"""What was changed on a machine, as memfit keeps and shows it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import msgspec

from memfit.agent.machine import AVAILABLE
from memfit.device.audit_records import When
from memfit.units import format_bytes


class AppliedKnob(msgspec.Struct, frozen=True, kw_only=True):
    """A knob with what it was said to give.

    Attributes:
        value: what it was set to; empty where it was only named.
        by_hand: what somebody has to do for it to take effect, and for its undo, where a boot alone does not do it.
    """

    name: str
    summary: str = ""
    low_bytes: int = 0
    likely_bytes: int = 0
    high_bytes: int = 0
    when: When = "live"
    value: str = ""
    by_hand: str = ""

    @property
    def called(self) -> str:
        """Its name, and its value where it was given one."""
        return f"{self.name}={self.value}" if self.value else self.name


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """One change that was made.

    Attributes:
        kind: ``file``, ``link``, ``removed``, ``folder``, ``unit``, ``value``, ``command``, ``space``.
        target: the path, unit or program.
        before, after: in words: a digest, where a link leads, ``active``, a value.
        sha256_before, sha256_after: of the content of files.
        why: the knob's words.
    """

    kind: str
    target: str
    before: str
    after: str
    sha256_before: str | None = None
    sha256_after: str | None = None
    why: str = ""


class Boot(msgspec.Struct, frozen=True, kw_only=True):
    """The boot by which a new command line proves itself (``memfit.agent.boot``).

    Attributes:
        state: ``begun`` (the next boot tries it), ``trying`` (that boot runs, the one after it would be the old one),
            ``confirmed``, ``fell back``; ``being made`` where ``update-grub`` was stopped.
        reasons: why it fell back.
    """

    state: str
    reasons: tuple[str, ...] = ()


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """One transaction.

    Attributes:
        id: by which it is undone.
        state: ``applied``, ``undone``, ``open`` and ``undoing`` (interrupted), ``damaged``.
        made: when, by the clock of that machine.
        measured_bytes: what is available afterwards less what was before, by MemAvailable and the free pages that it
            does not count (``agent.machine.AVAILABLE``); None where that was not measured.
        booted_bytes: MemTotal after the boot that it waited for less MemTotal before; None until then.
        waits_for_boot: some of it takes effect after the next boot.
        boot: the trial of a new command line, where it has one.
        drift: what somebody changed since, in words.
        theirs: targets that undo left as somebody else made them (``memfit undo --keep-theirs``).
        place: options that name the machine, for the command that takes it back; none where it is this one.
    """

    id: str
    state: str
    host: str
    made: str = ""
    machine: str = ""
    knobs: tuple[AppliedKnob, ...] = ()
    changes: tuple[Applied, ...] = ()
    measured_bytes: int | None = None
    booted_bytes: int | None = None
    waits_for_boot: bool = False
    boot: Boot | None = None
    drift: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()
    place: tuple[str, ...] = ()
    schema_version: int = 1


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that memfit has changed on a machine.

    Attributes:
        recovered: transactions that were found half-way and were taken back now.
    """

    host: str
    receipts: tuple[Receipt, ...] = ()
    recovered: tuple[str, ...] = ()
    schema_version: int = 1


def receipt_of(
    told: dict[str, Any],
    host: str,
    place: tuple[str, ...] = (),
    now: dict[str, Any] | None = None,
    trial: dict[str, Any] | None = None,
) -> Receipt:
    """From the agent's answer; ``now`` has ``boot_id`` and ``memory`` of the machine where they are known."""
    about, measured = told.get("about") or {}, told.get("measured") or {}
    try:
        knobs = msgspec.convert(about.get("knobs", ()), tuple[AppliedKnob, ...])
    except msgspec.ValidationError:  # another memfit's words for them; its changes are told all the same
        knobs = ()
    made = told.get("made")
    later = any(knob.when == "reboot" for knob in knobs)
    return Receipt(
        id=told["id"] or "",
        state=told["state"],
        host=host,
        made="" if made is None else datetime.fromtimestamp(made, timezone.utc).isoformat(timespec="seconds"),
        machine=told.get("machine", ""),
        knobs=knobs,
        changes=tuple(_applied(step) for step in told["steps"]),
        measured_bytes=_gain(measured.get("before"), measured.get("after"), *AVAILABLE),
        booted_bytes=_booted(told, measured, now) if later else None,
        boot=None
        if trial is None or trial["id"] != told["id"]
        else Boot(state=trial["state"], reasons=tuple(trial["reasons"] or ())),
        waits_for_boot=later and told["state"] == "applied" and not _has_booted(told, now),
        drift=tuple(one["message"] for one in told.get("drift", ())),
        theirs=tuple(told.get("theirs", ())),
        place=place,
    )


def _has_booted(told: dict[str, Any], now: dict[str, Any] | None) -> bool:
    return bool(now) and now is not None and now.get("boot_id") != told.get("boot_id")


def _booted(told: dict[str, Any], measured: dict[str, Any], now: dict[str, Any] | None) -> int | None:
    if now is None or not _has_booted(told, now):
        return None
    return _gain(measured.get("before"), now.get("memory"), "MemTotal")


def _gain(before: dict[str, int] | None, after: dict[str, int] | None, name: str, *more: str) -> int | None:
    """By the sum of what both readings have of these; the first is in any."""
    if not before or not after or name not in before or name not in after:
        return None
    return sum(after[one] - before[one] for one in (name, *more) if one in before and one in after)


def _applied(step: dict[str, Any]) -> Applied:
    why = step.get("why", "")
    if step["kind"] == "node":
        before, after = step["before"], step["after"]
        kind = {"absent": "removed"}.get(after["kind"], after["kind"])
        return Applied(
            kind=kind,
            target=step["path"],
            before=_words(before),
            after=_words(after),
            sha256_before=before["sha256"] or None,
            sha256_after=after["sha256"] or None,
            why=why,
        )
    if step["kind"] == "unit":
        words = {True: "active", False: "inactive"}
        return Applied(
            kind="unit", target=step["unit"], before=words[step["before"]], after=words[step["after"]], why=why
        )
    if step["kind"] == "value":
        return Applied(kind="value", target=step["path"], before=step["before"], after=step["after"], why=why)
    if step["kind"] == "space":
        return Applied(kind="space", target=step["path"], before="nothing", after=format_bytes(step["bytes"]), why=why)
    return Applied(
        kind="command", target=step["do"][0] if step["do"] else "", before="", after=" ".join(step["do"]), why=why
    )


def _words(node: dict[str, Any]) -> str:
    if node["kind"] == "link":
        return f"→ {node['target']}"
    if node["kind"] == "file":
        return f"sha256 {node['sha256'][:12]}"
    return "nothing" if node["kind"] == "absent" else str(node["kind"])
