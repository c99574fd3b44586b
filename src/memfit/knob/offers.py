"""Every knob asked what it would do on one machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from memfit.device.audit_records import Audit, KnobRow
from memfit.errors import UsageError
from memfit.host import Host
from memfit.knob._command_line import by_hand_of, note_of, why_not
from memfit.knob._knob import Knob
from memfit.knob.changes import Change
from memfit.knob.knobs import KNOBS
from memfit.knob.records import Bolder, Effect, Gain, Lines, Need, Wish, Words, not_here


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A knob with what it would do here, and the changes that do it.

    Attributes:
        wish: what was asked of it besides its name; ``value`` is what it is set to then.
        takes: what value it takes, in words; empty where it takes none.
        by_hand: what somebody has to do for it to take effect where a boot alone does not do it.
        words: of the kernel's command line; ``combine.changes_of`` makes one change of those of all knobs.
        bolder: a second value with a risk; ``bold`` takes it.
        settings: values of the kernel that shall last, which ``combine.changes_of`` makes into changes.
        lines: of services' drop-ins, which it makes into changes too.
        spared: what the product needs keeps it from applying; ``effect`` says what it would do otherwise.
    """

    name: str
    summary: str
    layer: str
    effect: Effect
    changes: tuple[Change, ...] = ()
    words: Words = {}
    bolder: Bolder | None = None
    settings: dict[str, str] = {}
    lines: Lines = {}
    spared: tuple[Need, ...] = ()
    wish: Wish = Wish()
    takes: str = ""
    by_hand: str = ""

    @property
    def value(self) -> str:
        """What it was asked to be; empty where it was only named."""
        return self.wish.value

    @property
    def called(self) -> str:
        """Its name, and its value where it was given one."""
        return f"{self.name}={self.value}" if self.value else self.name

    @property
    def applies(self) -> bool:
        """Whether there is something to change, and nothing that the product needs is in the way."""
        return self.effect.applies and not self.spared

    @property
    def saves(self) -> bool:
        """Whether it applies and gives memory back, so that it is worth doing unasked."""
        return self.applies and self.effect.saves

    @property
    def bold(self) -> Offer:
        """The same knob with its second value, where it has one here."""
        if self.bolder is None or not self.effect.applies or self.value:  # a value that was asked for stays
            return self
        effect = msgspec.structs.replace(self.effect, gain=self.bolder.gain, cost=self.bolder.cost, risk="high")
        return msgspec.structs.replace(self, effect=effect, words=self.bolder.words, bolder=None)


def offers(
    host: Host,
    audit: Audit,
    *,
    needs: Iterable[Need] = (),
    names: Iterable[str] | None = None,
    wishes: Mapping[str, Wish] | None = None,
) -> tuple[Offer, ...]:
    """What the knobs would do on the machine that ``audit`` is of, the largest gain first.

    Args:
        host: the same machine; its files are read through it.
        audit: what is known of it already.
        needs: what the product uses.
        names: of the knobs to ask; all where None.
        wishes: what is asked of some of them, by name.

    Raises:
        UnknownName: there is no knob of a name.
        UsageError: a knob takes no such value.
    """
    keys = KNOBS.keys() if names is None else tuple(dict.fromkeys(KNOBS.key(name) for name in names))
    needed = frozenset(needs)
    asked = {KNOBS.key(name): wish for name, wish in (wishes or {}).items()}
    found = [_offer(key, KNOBS.get(key), host, audit, needed, asked.get(key, Wish())) for key in keys]
    found.sort(key=lambda offer: (not offer.applies, -offer.effect.gain.likely_bytes, offer.name))
    return tuple(found)


def offer_paths() -> tuple[str, ...]:
    """Shell patterns of what the knobs read beside an audit."""
    return tuple(dict.fromkeys(path for knob in KNOBS for path in knob.paths))


def as_row(offer: Offer) -> KnobRow:
    """For the audit."""
    effect, gain = offer.effect, offer.effect.gain
    reason = effect.reason or (f"spared for {', '.join(offer.spared)}" if offer.spared else "")
    return KnobRow(
        name=offer.name,
        summary=offer.summary,
        layer=offer.layer,
        applies=offer.applies,
        low_bytes=gain.low_bytes,
        likely_bytes=gain.likely_bytes,
        high_bytes=gain.high_bytes,
        when=effect.when,
        cost=effect.cost,
        risk=effect.risk,
        reason=reason,
        evidence=gain.evidence,
        saves=effect.saves,
        cuda_bytes=gain.cuda_bytes,
        takes=offer.takes,
    )


def _offer(key: str, knob: Knob, host: Host, audit: Audit, needs: frozenset[Need], wish: Wish) -> Offer:
    if wish.value and not knob.takes:
        raise UsageError(f"{key} takes no value: {wish.value!r}", hint=f"--knob {key}")
    named = Offer(
        name=key, summary=knob.summary, layer=knob.layer, effect=not_here("not on this machine"), wish=wish,
        takes=knob.takes,
    )  # fmt: skip
    state = knob.read(host, audit)
    if state is None:
        return named
    if knob.at is not None and wish != Wish():
        state = knob.at(state, wish)
    effect = knob.effect(state)
    if not audit.terms:  # an image: what its services would hold, nobody can say
        effect = msgspec.structs.replace(effect, gain=Gain(evidence="an image: nothing runs"))
    elif not (
        effect.gain.high_bytes or effect.gain.cuda_bytes
    ):  # what holds nothing is left as it is unless somebody names it
        effect = msgspec.structs.replace(effect, saves=False)
    words = knob.words(state) if effect.applies and knob.words is not None else {}
    refusal = why_not(host, audit, words) if words else ""
    if refusal:
        effect, words = not_here(refusal), {}
    note = note_of(host, audit) if words else ""
    if note:
        effect = msgspec.structs.replace(effect, cost=f"{effect.cost}; {note}")
    bolder = knob.bolder(state) if effect.applies and knob.bolder is not None else None
    return msgspec.structs.replace(
        named,
        effect=effect,
        changes=knob.change(state) if effect.applies else (),
        words=words,
        bolder=None if bolder is not None and why_not(host, audit, bolder.words) else bolder,
        settings=knob.settings(state) if effect.applies and knob.settings is not None else {},
        lines=knob.lines(state) if effect.applies and knob.lines is not None else {},
        spared=tuple(sorted(knob.spares & needs)),
        by_hand=by_hand_of(host, audit) if words else "",
    )
