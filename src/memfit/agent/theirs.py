"""What somebody else made of a target since, and what was agreed to stay so: undo leaves it, and takes back the rest.

The agreement is noted in the journal before anything is taken back, so that recovery keeps it too. It says what may be
left and not what was: a target that is as memfit made it by then is taken back in spite of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from memfit.agent.steps import key_of, touched_of

if TYPE_CHECKING:
    from memfit.agent.journal import Entry, Journal

_NOTE = "theirs"


def agree(journal: Journal, entry: Entry, steps: list[dict[str, Any]]) -> None:
    """These may stay, and nothing else; without any, what was agreed before is void.

    Raises:
        OSError: it cannot be noted; what was agreed before stands.
    """
    if steps:
        journal.note(entry, _NOTE, {"targets": {str(step["number"]): _target(step) for step in steps}})
    elif journal.noted(entry, _NOTE):
        journal.forget(entry, _NOTE)


def agreed(journal: Journal, entry: Entry) -> dict[int, str]:
    """Targets that may stay as somebody made them, by number of step."""
    targets = journal.noted(entry, _NOTE).get("targets", {})
    return {int(number): target for number, target in targets.items()}


def _target(step: dict[str, Any]) -> str:
    touched = touched_of(step)
    return str(touched[0]["path"]) if touched else key_of(step)
