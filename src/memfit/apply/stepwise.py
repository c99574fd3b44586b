"""One knob after the other, each measured and held against a check; what breaks it is taken back."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import msgspec

from memfit.agent.undisturbed import handled
from memfit.apply.apply import apply, undo
from memfit.apply.check import Checked, run_check
from memfit.apply.place import Place
from memfit.apply.records import Receipt
from memfit.knob import Change, Offer


class StepTaken(msgspec.Struct, frozen=True, kw_only=True):
    """A knob that was tried.

    Attributes:
        kept: it passed the check, or there was none that it could be held against yet.
        checked: how the check ended; None where it was not run.
        why: why it was not run, or not applied.
    """

    knob: str
    kept: bool
    receipt: Receipt | None = None
    checked: Checked | None = None
    why: str = ""


class Stepwise(msgspec.Struct, frozen=True, kw_only=True):
    """All knobs that were tried, in order.

    ``baseline`` is the check before anything was changed: where that fails already, nothing is tried.
    """

    host: str
    check: str
    baseline: Checked | None
    steps: tuple[StepTaken, ...] = ()
    schema_version: int = 1

    @property
    def is_refused(self) -> bool:
        """Whether the check failed before anything was changed."""
        return self.baseline is not None and self.baseline.code != 0


def stepwise(
    place: Place,
    host: str,
    chosen: Sequence[Offer],
    changes_of: Callable[[Offer], tuple[Change, ...]],
    check: str,
    *,
    said: Callable[[str], None] = lambda line: None,
) -> Stepwise:
    """Apply one knob at a time and run ``check``, a line for the shell, after each.

    Args:
        place: the machine.
        host: what it is called in receipts.
        chosen: the knobs, in the order to try them.
        changes_of: the changes of one of them, as the machine is by then.
        check: exit status 0 keeps the knob; empty keeps all.
        said: told what is done, a line each.

    Raises:
        UndoFailed: a knob broke the check and could not be taken back.
        ApplyError, Drift, NeedsRoot, ProbeError: as ``apply``; the knobs before it stay.
        KeyboardInterrupt: at Ctrl-C during a check, once the knob under check was taken back.
    """
    with _interrupted_by_any():
        baseline = run_check(check) if check else None
        if baseline is not None and baseline.code != 0:
            return Stepwise(host=host, check=check, baseline=baseline)
        steps = []
        for offer in chosen:
            said(f"{offer.called}: {offer.summary}")
            steps.append(_step(place, host, offer, changes_of(offer), check, said))
            if not steps[-1].kept:
                said(f"{offer.called}: the check failed, and it was taken back")
    return Stepwise(host=host, check=check, baseline=baseline, steps=tuple(steps))


def _step(
    place: Place, host: str, offer: Offer, changes: tuple[Change, ...], check: str, said: Callable[[str], None]
) -> StepTaken:
    if not changes:
        return StepTaken(knob=offer.called, kept=True, why="nothing to do any more")
    receipt = apply(place, host, [offer], changes)
    if not receipt.id:
        return StepTaken(knob=offer.called, kept=True, why="nothing to do any more")
    if not check:
        return StepTaken(knob=offer.called, kept=True, receipt=receipt)
    if offer.effect.when != "live":
        why = "it takes effect after the next boot: run the check then"
        return StepTaken(knob=offer.called, kept=True, receipt=receipt, why=why)
    try:
        checked = run_check(check)
    except KeyboardInterrupt:  # nobody knows whether it would have passed
        undo(place, host, receipt.id)
        said(f"{offer.called}: the check was interrupted, and it was taken back")
        raise
    if checked.code == 0:
        return StepTaken(knob=offer.called, kept=True, receipt=receipt, checked=checked)
    back = undo(place, host, receipt.id)
    back = msgspec.structs.replace(back, measured_bytes=receipt.measured_bytes)
    return StepTaken(knob=offer.called, kept=False, receipt=back, checked=checked)


@contextmanager
def _interrupted_by_any() -> Iterator[None]:
    """A closed terminal and a polite kill end a check as Ctrl-C does, so that the knob under check goes back.

    A knob may close the terminal itself: ``desktop`` ends the session that it is in.
    """

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    # nohup's stays: whoever ignores it wants this to come to its end
    numbers = [one for one in (signal.SIGHUP, signal.SIGTERM) if signal.getsignal(one) is not signal.SIG_IGN]
    with handled(numbers, interrupt):
        yield
