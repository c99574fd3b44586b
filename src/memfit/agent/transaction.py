"""Changes made together or not at all, and taken back to the byte.

Everything that can fail for want of space is done first, beside the targets; what follows are renames, one a change,
each flushed. The way back is ``memfit.agent.recovery``'s.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from memfit.agent import theirs
from memfit.agent.acts import Acts
from memfit.agent.denied import check
from memfit.agent.failure import Failure, as_failure, of_system
from memfit.agent.journal import HOME, Entry, Journal
from memfit.agent.machine import AVAILABLE, Machine
from memfit.agent.recovery import Recovery
from memfit.agent.steps import contended, key_of, plan_steps
from memfit.agent.targets import Targets
from memfit.agent.tree import Tree
from memfit.agent.undisturbed import undisturbed
from memfit.agent.watcher import is_confirmed, watch

if TYPE_CHECKING:
    from memfit.agent.steps import Policy

UNKNOWN = "unknown"
_MEASURED = ("MemTotal", *AVAILABLE, "MemFree", "CmaTotal", "CmaFree", "SwapTotal", "SwapFree")


class Transactions:
    """What is changed on one machine, image or tree, and taken back.

    ``policy`` has the last word on every change; ``home`` is where the journal lies.
    """

    def __init__(
        self, tree: Tree, machine: Machine, identity: str, *, policy: Policy = check, home: str = HOME
    ) -> None:
        self._tree = tree
        self._machine = machine
        self._identity = identity
        self._policy = policy
        self.journal = Journal(tree, home)
        self._nodes = Targets(tree, self.journal, machine)
        self._acts = Acts(machine, self.journal)
        self._back = Recovery(machine, self.journal, self._nodes, self._acts)

    def apply(self, changes: Any, about: dict[str, Any], confirm_s: float | None = None) -> dict[str, Any]:
        """Make the changes; ``about`` is kept with them, and what nobody confirms within ``confirm_s`` is taken back.

        Returns:
            The receipt; its ``steps`` are empty where all was so already.

        Raises:
            Failure: nothing was changed; or, of kind ``undo``, not everything could be taken back.
        """
        with self.journal.lock():
            self.recover()
            steps = plan_steps(changes, self._tree, self._machine, self._policy)
            if not steps:
                return {"id": None, "state": "nothing to do", "steps": [], "about": about}
            plan = {
                "machine": self._identity,
                "boot_id": self._machine.boot_id(),
                "made": time.time(),
                "about": about,
                "steps": steps,
            }
            entry = self._prepare(plan)
            plan = self.journal.plan(entry)
            if confirm_s is not None:
                self._watch(entry, confirm_s)
            with undisturbed():
                return self._make(entry, plan)

    def undo(self, id: str | None, *, confirmed_stays: bool = False, keep_theirs: bool = False) -> dict[str, Any]:
        """Take a transaction back, the last one where no id is given; not where ``confirmed_stays``, and it is.

        One whose undo was interrupted is the one that is meant. What somebody changed since stays as it is with
        ``keep_theirs``, and the rest goes back.

        Raises:
            Failure: of kind ``drift``, and nothing was done; ``undo``, and what is left is in the journal.
        """
        with self.journal.lock():
            half_way = [entry.id for entry in self.journal.entries() if entry.state == "undoing"]
            self.recover(keep_theirs=keep_theirs)
            if half_way and id in (None, *half_way):
                return self.receipt(self.journal.find(id or half_way[-1]))
            entry = self._last_applied() if id is None else self.journal.find(id)
            if entry.state != "applied":
                raise Failure("refused", f"{entry.id} is undone already")
            if confirmed_stays and is_confirmed(self.journal, entry):
                return self.receipt(entry)
            plan = self.journal.plan(entry)
            self.refuse_other(plan["machine"], f"{entry.path}: this receipt")
            steps = plan["steps"]
            self._refuse_older(entry, steps)
            left = self._back.leave(entry, steps, keep_theirs=keep_theirs)
            try:
                for step in (step for step in steps if step["number"] not in left):
                    self._nodes.stage_before(step, entry)
            except Failure:
                self._nodes.sweep(entry, steps)
                raise
            with undisturbed():
                entry = self._back.restore(self.journal.move(entry, "undoing"), plan)
            receipt = self.receipt(entry)  # before the oldest of what is undone is forgotten, which this may be
            self._back.tidy()
            return receipt

    def recover(self, *, keep_theirs: bool = False) -> list[str]:
        """Finish what was interrupted (``Recovery.recover``). The lock is held.

        Raises:
            Failure: something is in the way; says what.
        """
        return self._back.recover(keep_theirs=keep_theirs)

    def receipt(self, entry: Entry) -> dict[str, Any]:
        """A transaction as it is told: the plan without what files held.

        Raises:
            Failure: its plan is damaged.
        """
        plan = self.journal.plan(entry)
        steps = [
            {name: value for name, value in step.items() if name not in ("content", "trial")} for step in plan["steps"]
        ]
        return {
            **{name: plan[name] for name in ("id", "machine", "boot_id", "made", "about", "schema_version")},
            "state": entry.state,
            "steps": steps,
            "measured": self.journal.noted(entry, "measured"),
            "theirs": [] if entry.state == "applied" else sorted(theirs.agreed(self.journal, entry).values()),
        }

    def refuse_other(self, machine: str | None, what: str) -> None:
        """Refuse what is known to be of another machine.

        Raises:
            Failure: it is.
        """
        if machine is not None and UNKNOWN not in (machine, self._identity) and machine != self._identity:
            hint = "undo it there, or with --root where its disk is mounted"
            raise Failure("refused", f"{what} is of another machine", hint=hint)

    def drift(self, entry: Entry) -> list[Failure]:
        """What somebody changed since a transaction was applied; what a later one changed is that one's."""
        found = []
        later = self._changed_after(entry)
        for step in self.journal.plan(entry)["steps"]:
            if {key_of(step), *contended([step])} & later.keys():
                continue
            try:
                self._nodes.check_drift(step, entry)
            except Failure as failure:
                found.append(failure)
        return found

    def _watch(self, entry: Entry, confirm_s: float) -> None:
        def take_back() -> None:
            if self.journal.find(entry.id).state == "applied":
                self.undo(entry.id, confirmed_stays=True)
                return
            with self.journal.lock():
                self.recover()

        try:
            self._machine.beside = (watch(self.journal, entry.id, confirm_s, take_back),)
        except OSError as error:
            self._back.discard(entry)
            raise of_system("a process to watch the change", error) from error

    def _prepare(self, plan: dict[str, Any]) -> Entry:
        """Write the plan and everything that will stand under the targets' names; nothing of them changes."""
        steps = plan["steps"]
        entry = None
        try:
            entry = self.journal.begin(plan, self._nodes.contents(steps))
            for step in steps:
                self._nodes.stage(step, entry)
            return self.journal.move(entry, "open")
        except (OSError, Failure) as error:
            with suppress(OSError, Failure):  # what is left now is thrown away by the next one
                for left in [entry] if entry else [one for one in self.journal.entries() if one.state == "staging"]:
                    self._back.discard(left)
            raise as_failure(error, "the journal") from error

    def _make(self, entry: Entry, plan: dict[str, Any]) -> dict[str, Any]:
        steps = plan["steps"]
        try:
            earlier = self._machine.memory()
            self._nodes.announce(steps, entry)
            for step in steps:
                self._nodes.put(step, entry)
            self._acts.reload(steps)
            for step in steps:
                self._acts.act(step, entry)
            self._nodes.made(steps, entry)
            self._acts.done(steps, entry)
            for step in steps:
                self._nodes.verify(step)
                self._acts.verify(step)
            entry = self.journal.move(entry, "applied")
        except (OSError, Failure) as error:
            told = as_failure(error, entry.path)
            self._back.restore(self.journal.find(entry.id), plan)
            told.hint = told.hint or "everything was taken back"
            raise told from error
        # it is applied: nothing that fails from here on makes it less so
        with suppress(OSError, Failure):
            self._nodes.sweep(entry, steps)
        if earlier:
            self._measure(entry, earlier)
        return self.receipt(entry)

    def _measure(self, entry: Entry, earlier: dict[str, int]) -> None:
        """What the change gave, noted beside it; a full disk is no reason to take it back."""
        with suppress(OSError, Failure):
            later = self._machine.memory()
            kept = [{name: reading[name] for name in _MEASURED if name in reading} for reading in (earlier, later)]
            self.journal.note(entry, "measured", {"before": kept[0], "after": kept[1]})

    def _refuse_older(self, entry: Entry, steps: list[dict[str, Any]]) -> None:
        """What was changed twice is taken back in the other order.

        Raises:
            Failure: a later transaction changed some of the same.
        """
        later = self._changed_after(entry)
        changed = contended(steps) & later.keys()
        if changed:
            message = f"{min(changed)}: {later[min(changed)]} changed it after {entry.id}"
            raise Failure("drift", message, hint=f"undo {later[min(changed)]} first", journal=entry.path)

    def _changed_after(self, entry: Entry) -> dict[str, str]:
        """What transactions changed that were applied later and still are, with the last one's id."""
        found: dict[str, str] = {}
        for later in self.journal.entries():
            if later.state == "applied" and later.number > entry.number:
                with suppress(Failure):  # one that is damaged is never undone either
                    found.update(dict.fromkeys(contended(self.journal.plan(later)["steps"]), later.id))
        return found

    def _last_applied(self) -> Entry:
        applied = [entry for entry in self.journal.entries() if entry.state == "applied"]
        if not applied:
            raise Failure("refused", "nothing is applied here", hint="memfit status shows what was")
        return applied[-1]
