"""The way back: what was begun and never came to its end, and what is undone.

``restore`` needs no record of how far it came: a target is what it was, what it should become, or something that
somebody else made of it, and then nothing is done and the difference is shown.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from memfit.agent import theirs
from memfit.agent.acts import Acts
from memfit.agent.failure import Failure, as_failure
from memfit.agent.journal import Entry, Journal
from memfit.agent.machine import Machine
from memfit.agent.targets import Targets
from memfit.agent.undisturbed import undisturbed


class Recovery:
    """Of one machine, image or tree. The journal's lock is held."""

    def __init__(self, machine: Machine, journal: Journal, nodes: Targets, acts: Acts) -> None:
        self._machine = machine
        self._journal = journal
        self._nodes = nodes
        self._acts = acts

    def recover(self, *, keep_theirs: bool = False) -> list[str]:
        """Finish what was interrupted: whatever was not applied to its end is taken back. The lock is held.

        Raises:
            Failure: something is in the way; says what.
        """
        said = []
        for entry in self._journal.entries():
            if entry.state == "staging":
                self.discard(entry)
            elif entry.state in ("open", "undoing"):
                plan = self._journal.plan(entry)
                if keep_theirs:
                    self.leave(entry, plan["steps"], keep_theirs=True)
                with undisturbed():
                    self.restore(entry, plan)
                said.append(entry.id)
        self.tidy()
        return said

    def leave(self, entry: Entry, steps: list[dict[str, Any]], *, keep_theirs: bool) -> set[int]:
        """Numbers of the steps that are left as somebody made them, which is noted first.

        Raises:
            Failure: of kind ``drift`` where nothing is to be left, and something would be.
        """
        drifted = self._nodes.drifted(steps, entry)
        if drifted and not keep_theirs:
            raise drifted[0][1]
        theirs.agree(self._journal, entry, [step for step, _ in drifted])
        return {step["number"] for step, _ in drifted}

    def restore(self, entry: Entry, plan: dict[str, Any]) -> Entry:
        """Everything as it was, however far it came.

        Raises:
            Failure: something is in the way; the journal keeps what it was.
        """
        steps = plan["steps"]
        try:
            self._nodes.take_back(steps, entry)
            if self._machine.live:
                self._acts.take_back(steps, entry, same_boot=plan["boot_id"] == self._machine.boot_id())
            self._nodes.free(steps, entry)
            with suppress(OSError):  # an empty folder means nothing to anybody
                self._nodes.remove_kept_folders(steps, entry)
            self._forget_ours(entry, steps)
            return self._journal.move(entry, "undone")
        except (OSError, Failure) as error:
            told = as_failure(error, entry.path)
            hint = told.hint or "mend that, and run memfit undo again"
            kind = "drift" if told.kind == "drift" else "undo"
            raise Failure(kind, told.message, hint=hint, diff=told.diff, journal=entry.path) from error

    def discard(self, entry: Entry) -> None:
        """Throw away what was only being prepared; only whole plans ever put names beside anything."""
        try:
            steps = self._journal.plan(entry)["steps"]
        except Failure:
            steps = []
        self._nodes.discard(steps, entry)
        self._journal.drop(entry)

    def tidy(self) -> None:
        """What a kill left of transactions that are whole: none of it matters, so nothing that fails here does."""
        for entry in self._journal.entries():
            if entry.state == "applied":
                with suppress(OSError, Failure):  # a damaged plan is told to who asks for it
                    self._nodes.sweep(entry, self._journal.plan(entry)["steps"])
        with suppress(OSError):
            self._journal.prune()

    def _forget_ours(self, entry: Entry, steps: list[dict[str, Any]]) -> None:
        """What was agreed to stay and was taken back all the same is no more said to be left."""
        agreed = theirs.agreed(self._journal, entry)
        if agreed:
            left = [step for step, _ in self._nodes.drifted(steps, entry) if step["number"] in agreed]
            if len(left) < len(agreed):
                theirs.agree(self._journal, entry, left)
