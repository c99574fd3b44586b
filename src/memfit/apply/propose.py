"""What would be done: knobs that were chosen, and every file and command of it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from memfit.device.audit_records import When
from memfit.errors import ProbeError, UsageError
from memfit.host import Host
from memfit.knob import Change, Offer
from memfit.knob.changes import FileChange, LinkChange, RemoveChange, RunChange, SpaceChange, UnitChange, ValueChange

# all that is done on an image, where nothing runs
_OF_FILES = (FileChange, LinkChange, RemoveChange)
_UNIT_FILES = "/etc/systemd/"


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """One change as it will be made.

    Attributes:
        target: the path, unit or program.
        text: a unified diff of a file, or the command that does it.
    """

    kind: str
    target: str
    text: str
    why: str = ""


class ProposedKnob(msgspec.Struct, frozen=True, kw_only=True):
    """A chosen knob.

    Attributes:
        value: what it is set to; empty where it was only named.
        cuda_bytes: what CUDA can allocate more after it; None where that is the same as MemAvailable.
    """

    name: str
    summary: str
    layer: str
    low_bytes: int
    likely_bytes: int
    high_bytes: int
    when: When
    cost: str
    risk: str
    evidence: str = ""
    value: str = ""
    cuda_bytes: int | None = None


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What ``memfit apply`` would do.

    Attributes:
        low_bytes, likely_bytes, high_bytes: sums over the knobs, none counted twice.
        left: knobs that were asked for and do nothing here, with the reason.
    """

    host: str
    knobs: tuple[ProposedKnob, ...]
    changes: tuple[Proposed, ...]
    low_bytes: int
    likely_bytes: int
    high_bytes: int
    waits_for_boot: bool
    left: tuple[tuple[str, str], ...] = ()
    schema_version: int = 1


def choose(found: Sequence[Offer], names: Iterable[str] | None, *, risk: bool) -> tuple[list[Offer], list[Offer]]:
    """Those to apply, and those that do nothing here or are spared.

    Where knobs were named, what keeps one from applying is an error and not passed over; without names, what is risky
    is left out unless ``risk``, and so is what gives no memory back.

    Raises:
        UsageError: a named knob is spared, or risky and not said so.
    """
    chosen: list[Offer] = []
    left: list[Offer] = []
    for offer in found:
        if names is not None and offer.spared:
            raise UsageError(
                f"{offer.name} would take away what --needs {','.join(offer.spared)} keeps",
                hint="leave out the one or the other",
            )
        risky = offer.effect.risk == "high" and not risk
        if names is not None and offer.effect.applies and risky:
            raise UsageError(f"{offer.called}: {offer.effect.cost}", hint="--risk takes that")
        wanted = offer.saves if names is None else offer.applies
        (chosen if wanted and not risky else left).append(offer)
    return chosen, left


def propose(host: Host, chosen: Sequence[Offer], changes: Sequence[Change], left: Sequence[Offer] = ()) -> Proposal:
    """The record of it; files are read through ``host`` for their differences."""
    gains = [offer.effect.gain for offer in chosen]
    return Proposal(
        host=host.name,
        knobs=tuple(_proposed_knob(offer) for offer in chosen),
        changes=tuple(_in_order(host, changes)),
        low_bytes=sum(gain.low_bytes for gain in gains),
        likely_bytes=sum(gain.likely_bytes for gain in gains),
        high_bytes=sum(gain.high_bytes for gain in gains),
        waits_for_boot=any(offer.effect.when == "reboot" for offer in chosen),
        left=tuple((offer.called, _why_left(offer)) for offer in left),
    )


def _in_order(host: Host, changes: Sequence[Change]) -> Iterator[Proposed]:
    """As the agent does it: files, then systemd reads them, then what runs."""
    files = [change for change in changes if isinstance(change, _OF_FILES)]
    yield from (proposed(host, change) for change in files)
    if not host.live:
        return
    if any(change.path.startswith(_UNIT_FILES) for change in files):
        yield Proposed(
            kind="command", target="systemctl", text="systemctl daemon-reload", why="systemd reads its files"
        )
    yield from (proposed(host, change) for change in changes if not isinstance(change, _OF_FILES))


def proposed(host: Host, change: Change) -> Proposed:
    """One change in words, or as a diff."""
    if isinstance(change, FileChange):
        if b"\0" in change.content:  # no text: the agent that confirms a boot
            return Proposed(kind="file", target=change.path, text=f"{len(change.content)} bytes", why=change.why)
        text = _diff(change.path, _text(host, change.path), change.content.decode("utf-8", "replace"))
        return Proposed(kind="file", target=change.path, text=text, why=change.why)
    if isinstance(change, LinkChange):
        return Proposed(kind="link", target=change.path, text=f"ln -sfn {change.target} {change.path}", why=change.why)
    if isinstance(change, RemoveChange):
        gone = _text(host, change.path)
        text = _diff(change.path, gone, "") if gone else f"rm {change.path}"
        return Proposed(kind="remove", target=change.path, text=text, why=change.why)
    if isinstance(change, UnitChange):
        verb = "start" if change.active else "stop"
        return Proposed(kind="unit", target=change.unit, text=f"systemctl {verb} {change.unit}", why=change.why)
    if isinstance(change, ValueChange):
        return Proposed(kind="value", target=change.path, text=f"echo {change.text} > {change.path}", why=change.why)
    if isinstance(change, SpaceChange):
        return Proposed(
            kind="space",
            target=change.path,
            text=f"fallocate -l {change.bytes} {change.path}, mode 0600",
            why=change.why,
        )
    assert isinstance(change, RunChange)
    return Proposed(kind="command", target=(change.do or change.undo)[0], text=" ".join(change.do), why=change.why)


def _proposed_knob(offer: Offer) -> ProposedKnob:
    effect, gain = offer.effect, offer.effect.gain
    return ProposedKnob(
        name=offer.name,
        summary=offer.summary,
        layer=offer.layer,
        low_bytes=gain.low_bytes,
        likely_bytes=gain.likely_bytes,
        high_bytes=gain.high_bytes,
        when=effect.when,
        cost=effect.cost,
        risk=effect.risk,
        evidence=gain.evidence,
        value=offer.value,
        cuda_bytes=gain.cuda_bytes,
    )


def _why_left(offer: Offer) -> str:
    if offer.spared:
        return f"kept for {', '.join(offer.spared)}"
    return offer.effect.reason or (f"risky: {offer.effect.cost}" if offer.effect.risk == "high" else "nothing to do")


def _text(host: Host, path: str) -> str:
    try:
        return host.read_bytes(path).decode("utf-8", "replace")
    except ProbeError:
        return ""


def _diff(path: str, before: str, after: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), path if before else "/dev/null", path, lineterm=""
    )
    return "\n".join(lines)
