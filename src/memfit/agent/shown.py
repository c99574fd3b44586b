"""What programs say of the state that they set: by it undo knows what somebody set by hand since.

What is said before and after is noted in the journal. Where nothing can be asked, or nothing is said, nobody knows, and
the program's way back is taken as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from memfit.agent.failure import Failure
from memfit.agent.steps import begun, key_of

if TYPE_CHECKING:
    from memfit.agent.journal import Entry, Journal
    from memfit.agent.machine import Machine

_NOTE = "left"
_MOST_S = 20.0
_MODE = re.compile(r"NV Power Mode:[ \t]*(\S+)\s+(\d+)")
_CLOCK = re.compile(r"^[ \t]*([\w-]+):?[ \t].*?\bMinFreq=(\d+)[ \t]+MaxFreq=(\d+)", re.MULTILINE)


class Shown:
    """Steps of kind ``run`` whose programs can be asked; others are none of its business and pass."""

    def __init__(self, machine: Machine, journal: Journal) -> None:
        self._machine = machine
        self._journal = journal

    def ask(self, step: dict[str, Any]) -> str:
        """The state in words; empty where nobody knows."""
        words, read = _asked(step)
        if not words:
            return ""
        code, said = self._machine.run(words, most_s=_MOST_S)
        return read(said) if code == 0 else ""

    def note(self, steps: list[dict[str, Any]], entry: Entry) -> None:
        """Note what all of them left together.

        Raises:
            OSError: it cannot be noted.
        """
        found = {str(step["number"]): self.ask(step) for step in steps if _asked(step)[0]}
        if any(found.values()):
            self._journal.note(entry, _NOTE, found)

    def check_drift(self, step: dict[str, Any], entry: Entry) -> None:
        """Nothing where the state is what it was, or what the program left; or where its way back was begun already.

        Raises:
            Failure: somebody set another since.
        """
        if not _asked(step)[0] or entry.state == "open" or self._journal.has_note(entry, ending(step)):
            return
        left = str(self._journal.noted(entry, _NOTE).get(str(step["number"]), ""))
        if not left or not (step["lasting"] or self._journal.plan(entry)["boot_id"] == self._machine.boot_id()):
            return
        now, was = self.ask(step), str(self._journal.noted(entry, begun(step)).get("shown", ""))
        known = {*left.splitlines(), *was.splitlines()}  # one that is as it was already loses nothing by the way back
        if known.issuperset(now.splitlines()):
            return
        raise Failure(
            "drift",
            f"{key_of(step)}: somebody set it anew since {entry.id} was applied",
            hint="set it back by hand, or keep it",
            diff="\n".join((*(f"-{line}" for line in _only(left, now)), *(f"+{line}" for line in _only(now, left)))),
            journal=entry.path,
        )

    def is_theirs(self, step: dict[str, Any], entry: Entry) -> bool:
        """Whether somebody set another since."""
        try:
            self.check_drift(step, entry)
        except Failure as failure:
            if failure.kind != "drift":
                raise
            return True
        return False


def ending(step: dict[str, Any]) -> str:
    """The name of the note that a program's way back was begun."""
    return f"ending-{step['number']}"


def _asked(step: dict[str, Any]) -> tuple[list[str], Any]:
    """What to ask about a step that has a way back, and how the answer is read."""
    do = step.get("do")
    if not do or not step.get("undo"):
        return [], None
    if do[0] == "nvpmodel":
        return ["nvpmodel", "-q"], _mode
    if do[0] == "jetson_clocks":
        return ["jetson_clocks", "--show"], _held
    if do[0] == "mount":
        return ["findmnt", "--noheadings", "--output", "OPTIONS", "--mountpoint", do[-1]], _size
    return [], None


def _mode(said: str) -> str:
    """``NV Power Mode: 15W`` and its id on the next line; what else it says, of fans, is another matter."""
    found = _MODE.search(said)
    return f"{found[1]} ({found[2]})" if found else ""


def _held(said: str) -> str:
    """Which clocks are held, whatever heat makes of them, and the range of the others; never what they are now."""
    return "\n".join(
        f"{name} {'held' if low == high else f'{low} to {high}'}" for name, low, high in _CLOCK.findall(said)
    )


def _size(said: str) -> str:
    return next((word for word in said.strip().split(",") if word.startswith("size=")), "")


def _only(text: str, other: str) -> list[str]:
    return [line for line in text.splitlines() if line not in other.splitlines()]
