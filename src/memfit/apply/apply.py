"""Apply, undo, status: what is asked of the agent of a machine, and the records of its answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from memfit.apply.place import Place, ask
from memfit.apply.records import AppliedKnob, Receipt, Status, receipt_of
from memfit.errors import ApplyError, NeedsRoot, ProbeError, UsageError
from memfit.host import LocalHost
from memfit.knob import Change, Compressed, Offer
from memfit.knob.changes import as_request

CONFIRM_S = 60
"""Over a connection, what is not confirmed by a second one within this time is undone by the machine itself."""
_MOST_RECEIPT_BYTES = 16 << 20


def apply(place: Place, host: str, chosen: Sequence[Offer], changes: Sequence[Change]) -> Receipt:
    """Make the changes of the chosen knobs, all or none.

    Over SSH the machine takes them back by itself unless a second connection confirms that it can still be reached.

    Args:
        place: the machine.
        host: what it is called in the receipt.
        chosen: the knobs, for the receipt.
        changes: what they are made of.

    Raises:
        ApplyError: nothing was changed, or all of it was taken back.
        Drift: a file is not what the changes were made from.
        UndoFailed: something failed, and not everything could be taken back.
        NeedsRoot, ProbeError: as ``ask``.
    """
    knobs = [
        AppliedKnob(
            name=offer.name,
            summary=offer.summary,
            low_bytes=offer.effect.gain.low_bytes,
            likely_bytes=offer.effect.gain.likely_bytes,
            high_bytes=offer.effect.gain.high_bytes,
            when=offer.effect.when,
            value=offer.value,
            by_hand=offer.by_hand,
        )
        for offer in chosen
    ]
    request: dict[str, Any] = {
        "action": "apply",
        "changes": as_request(tuple(changes)),
        "about": {"knobs": msgspec.to_builtins(knobs)},
    }
    if place.is_far:
        request["confirm_s"] = CONFIRM_S
    try:
        answer = ask(place, request)
    except ProbeError as error:
        if not place.is_far or isinstance(error, NeedsRoot):
            raise
        told = f"what was begun there is finished, and taken back where nobody confirms it within {CONFIRM_S} s"
        raise ProbeError(error.message, hint=f"{told}; see memfit status --host {place.host}") from error
    receipt = receipt_of(answer["receipt"], host, place.options)
    if place.is_far and receipt.id:
        _confirm(place, receipt)
    return receipt


def undo(place: Place, host: str, receipt: str | None = None, *, keep_theirs: bool = False) -> Receipt:
    """Take a transaction back: the last one, or that of a receipt's id or file.

    With ``keep_theirs`` what somebody changed since stays as it is, the rest is taken back, and the receipt says which.

    Raises:
        Drift: somebody changed something since, and it was not to stay; nothing was done.
        UndoFailed: something is left; the journal says what, and undo goes on from there.
        ApplyError: there is no such receipt, it is undone already, or it is of another machine.
    """
    id, machine = (None, None) if receipt is None else _named(receipt)
    answer = ask(place, {"action": "undo", "id": id, "machine": machine, "keep_theirs": keep_theirs})
    return receipt_of(answer["receipt"], host, place.options)


def status(place: Place, host: str, *, recover: bool = False) -> Status:
    """Everything that was changed there; ``recover`` takes back what was found half-way.

    Raises:
        ApplyError, NeedsRoot, ProbeError: as ``ask``.
    """
    answer = ask(place, {"action": "status", "recover": recover})
    now, trial = answer.get("now"), answer.get("trial")
    return Status(
        host=host,
        receipts=tuple(receipt_of(told, host, place.options, now, trial) for told in answer["receipts"]),
        recovered=tuple(answer["recovered"]),
    )


def packed(place: Place, weights: str) -> tuple[Compressed, ...]:
    """Weights of a model on a machine as compressed swap would hold them; nothing is written, and root is not needed.

    Args:
        place: the machine; on an image the path is one of its own.
        weights: the path of a file (GGUF, safetensors) or of a folder of such files.

    Raises:
        UsageError: there is no path, or that of another machine is not whole.
        ApplyError: it is no model, or no library that packs is there.
        ProbeError: as ``ask``.
    """
    elsewhere = place.host is not None or place.root is not None
    if not weights:
        raise UsageError("--weights without a name", hint="--weights MODEL")
    if elsewhere and not weights.startswith("/"):
        raise UsageError(f"{weights}: it is no whole path", hint=f"begin it with /: it is one of {place.called}")
    path = weights if elsewhere else str(Path(weights).absolute())
    told = ask(place, {"action": "compress", "path": path})
    return tuple(
        Compressed(
            algorithm=algorithm,
            pages=told["pages"],
            stored_bytes=stored,
            file=path.rstrip("/").rpartition("/")[2],
            file_bytes=told["file_bytes"],
        )
        for algorithm, stored in sorted(told["stored_bytes"].items())
    )


def _confirm(place: Place, receipt: Receipt) -> None:
    try:
        ask(place, {"action": "confirm", "id": receipt.id})
    except ProbeError as error:
        raise ApplyError(
            f"{receipt.id} was applied, but {place.host} cannot be reached any more: {error.message}",
            hint=f"it undoes it by itself within {CONFIRM_S} s",
        ) from error


def _named(receipt: str) -> tuple[str, str | None]:
    """An id as it is; or that of a file that ``memfit apply --json`` wrote, and the machine that it is of.

    What ``--step`` wrote is one where it left one knob applied.
    """
    if "/" not in receipt and not receipt.endswith(".json"):
        return receipt, None
    hint = "name a receipt's id: memfit status"
    try:
        content = LocalHost().read_bytes(str(Path(receipt).absolute()), most=_MOST_RECEIPT_BYTES)
        found = _receipt_in(content, receipt)
    except ProbeError as error:
        raise UsageError(error.message, hint=hint) from error
    except (msgspec.MsgspecError, RecursionError) as error:
        raise UsageError(f"{receipt}: it is no receipt: {error}", hint=hint) from error
    if not found.id:
        raise UsageError(f"{receipt}: nothing was changed by it, so it has no id", hint=hint)
    return found.id, found.machine or None


def _receipt_in(content: bytes, name: str) -> Receipt:
    steps = msgspec.json.decode(content, type=_Stepwise).steps
    if isinstance(steps, msgspec.UnsetType):
        return msgspec.json.decode(content, type=Receipt)
    kept = [step.receipt for step in steps if step.receipt is not None and step.receipt.state == "applied"]
    if len(kept) == 1:
        return kept[0]
    if not kept:
        raise UsageError(f"{name}: none of its steps is applied", hint="memfit status says what is")
    ids = ", ".join(f"{one.id} ({', '.join(knob.called for knob in one.knobs)})" for one in kept)
    raise UsageError(
        f"{name}: it has {len(kept)} receipts, and undo takes one back at a time: {ids}",
        hint=f"the last one first: memfit undo {kept[-1].id}",
    )


class _Step(msgspec.Struct, frozen=True):
    receipt: Receipt | None = None


class _Stepwise(msgspec.Struct, frozen=True):
    """Of what ``--step`` wrote only what undo asks for; ``steps`` is unset in a receipt."""

    steps: tuple[_Step, ...] | msgspec.UnsetType = msgspec.UNSET
