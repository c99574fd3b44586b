"""Changes made together or not at all, and taken back to the byte.

Everything that can fail for want of space is done first, beside the targets; what follows are renames, one a change,
each flushed. ``restore`` needs no record of how far it came: a target is what it was, what it should become, or
something that somebody else made of it, and then nothing is done and the difference is shown.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from memfit.agent.failure import Failure, of_system
from memfit.agent.journal import Entry, Journal
from memfit.agent.machine import Machine
from memfit.agent.nodes import Nodes
from memfit.agent.steps import after_of, before_of, plan_steps
from memfit.agent.tree import Tree
from memfit.agent.watcher import watch

_UNITS = "/etc/systemd/"


class Transactions:
    """What is changed on one machine or image, and taken back."""

    def __init__(self, tree: Tree, machine: Machine, identity: str) -> None:
        self._tree = tree
        self._machine = machine
        self._identity = identity
        self.journal = Journal(tree)
        self._nodes = Nodes(tree, self.journal)

    def apply(
        self, changes: list[dict[str, Any]], about: dict[str, Any], confirm_s: float | None = None
    ) -> dict[str, Any]:
        """Make the changes; ``about`` is kept with them, and what nobody confirms within ``confirm_s`` is taken back.

        Returns:
            The receipt; its ``steps`` are empty where all was so already.

        Raises:
            Failure: nothing was changed; or, of kind ``undo``, not everything could be taken back.
        """
        with self.journal.lock():
            self.recover()
            steps = plan_steps(changes, self._tree, self._machine)
            if not steps:
                return {"id": None, "state": "nothing to do", "steps": [], "about": about}
            plan = {
                "schema_version": 1,
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
            with _undisturbed():
                return self._make(entry, plan)

    def undo(self, id: str | None) -> dict[str, Any]:
        """Take a transaction back, the last one where no id is given.

        Raises:
            Failure: of kind ``drift``, and nothing was done; ``undo``, and what is left is in the journal.
        """
        with self.journal.lock():
            self.recover()
            entry = self._last_applied() if id is None else self.journal.find(id)
            if entry.state != "applied":
                raise Failure("refused", f"{entry.id} is undone already")
            plan = self.journal.plan(entry)
            if plan["machine"] != self._identity:
                raise Failure(
                    "refused",
                    f"{entry.path}: this receipt is of another machine",
                    hint="undo it there, or with --root where its disk is mounted",
                )
            steps = plan["steps"]
            for step in steps:
                self._nodes.check_drift(step, entry)
            try:
                for step in steps:
                    self._nodes.stage_before(step, entry)
            except (OSError, Failure) as error:
                self._nodes.sweep(entry, steps)
                raise _told(error, entry.path) from error
            with _undisturbed():
                entry = self.journal.move(entry, "undoing")
                self._restore(entry, plan)
                entry = self.journal.move(entry, "undone")
                self._nodes.sweep(entry, steps)
                self.journal.prune()
            return self.receipt(entry)

    def recover(self) -> list[str]:
        """Finish what was interrupted: whatever was not applied to its end is taken back. The lock is held.

        Raises:
            Failure: something is in the way; says what.
        """
        said = []
        for entry in self.journal.entries():
            if entry.state == "staging":
                self._discard(entry)
            elif entry.state in ("open", "undoing"):
                plan = self.journal.plan(entry)
                with _undisturbed():
                    self._restore(entry, plan)
                    entry = self.journal.move(entry, "undone")
                said.append(entry.id)
            if entry.state in ("applied", "undone"):
                self._sweep_known(entry)
        return said

    def receipt(self, entry: Entry) -> dict[str, Any]:
        """A transaction as it is told: the plan without what files held.

        Raises:
            Failure: its plan is damaged.
        """
        plan = self.journal.plan(entry)
        steps = [{name: value for name, value in step.items() if name != "content"} for step in plan["steps"]]
        return {
            **{name: plan[name] for name in ("id", "machine", "boot_id", "made", "about", "schema_version")},
            "state": entry.state,
            "steps": steps,
            "measured": self.journal.noted(entry, "measured"),
        }

    def drift(self, entry: Entry) -> list[Failure]:
        """What somebody changed since a transaction was applied."""
        found = []
        for step in self.journal.plan(entry)["steps"]:
            try:
                self._nodes.check_drift(step, entry)
            except Failure as failure:
                found.append(failure)
        return found

    def _watch(self, entry: Entry, confirm_s: float) -> None:
        def take_back() -> None:
            if self.journal.find(entry.id).state == "applied":
                self.undo(entry.id)
                return
            with self.journal.lock():
                self.recover()

        try:
            watch(self.journal, entry.id, confirm_s, take_back)
        except OSError as error:
            self._discard(entry)
            raise of_system("a process to watch the change", error) from error

    def _prepare(self, plan: dict[str, Any]) -> Entry:
        """Write the plan and everything that will stand under the targets' names; nothing of them changes."""
        steps, contents = plan["steps"], {}
        entry = None
        try:
            for step in steps:
                if step["kind"] == "node" and before_of(step).kind == "file":
                    contents[step["number"]] = self._tree.read(step["path"])
            entry = self.journal.begin(plan, contents)
            for step in steps:
                self._nodes.stage(step, entry)
            return self.journal.move(entry, "open")
        except (OSError, Failure) as error:
            for left in [entry] if entry else [one for one in self.journal.entries() if one.state == "staging"]:
                self._discard(left)
            raise _told(error, "the journal") from error

    def _make(self, entry: Entry, plan: dict[str, Any]) -> dict[str, Any]:
        steps = plan["steps"]
        try:
            earlier = self._machine.memory() if any(step["kind"] != "node" for step in steps) else {}
            for step in steps:
                self._nodes.put(step, entry)
            self._reload(steps)
            for step in steps:
                self._act(step)
            self._verify(steps)
            entry = self.journal.move(entry, "applied")
        except (OSError, Failure) as error:
            told = _told(error, entry.path)
            self._restore(entry, plan)
            self._nodes.sweep(self.journal.move(entry, "undone"), steps)
            told.hint = told.hint or "everything was taken back"
            raise told from error
        self._nodes.sweep(entry, steps)
        self._measure(entry, earlier)
        return self.receipt(entry)

    def _measure(self, entry: Entry, earlier: dict[str, int]) -> None:
        """What the change gave, noted beside it; a full disk is no reason to take it back."""
        later = self._machine.memory()
        names = ("MemTotal", "MemAvailable", "MemFree", "CmaTotal", "CmaFree", "SwapTotal", "SwapFree")
        kept = [{name: reading[name] for name in names if name in reading} for reading in (earlier, later)]
        try:
            self.journal.note(entry, "measured", {"before": kept[0], "after": kept[1]})
        except OSError:
            return

    def _act(self, step: dict[str, Any]) -> None:
        if step["kind"] == "unit":
            self._machine.set_active(step["unit"], step["after"])
        elif step["kind"] == "value":
            self._machine.set_value(step["path"], step["after"])
        elif step["kind"] == "run":
            self._run(step["do"])

    def _run(self, words: list[str]) -> None:
        if not words:
            return
        code, said = self._machine.run(words)
        if code:
            raise Failure("apply", f"{' '.join(words)}: {said.strip()[-300:] or f'exit code {code}'}")

    def _reload(self, steps: list[dict[str, Any]]) -> None:
        if any(step["kind"] == "node" and step["path"].startswith(_UNITS) for step in steps):
            self._machine.reload()

    def _verify(self, steps: list[dict[str, Any]]) -> None:
        """Read everything again.

        Raises:
            Failure: something is not what was written.
        """
        for step in steps:
            if step["kind"] == "node":
                now = self._tree.node(step["path"])
                if not now.same_as(after_of(step)):
                    raise Failure("apply", f"{step['path']}: it is not what was written")
            elif step["kind"] == "unit":
                state = self._machine.unit(step["unit"]).get("ActiveState")
                if (state in ("active", "reloading")) != step["after"]:
                    raise Failure("apply", f"{step['unit']}: it is {state} after all", hint="what starts it again?")
            elif step["kind"] == "value" and step["path"] not in _ONE_WAY:
                now_value = self._machine.value(step["path"])
                if now_value != step["after"]:
                    raise Failure("apply", f"{step['path']}: {step['after']} was written, {now_value} is there")

    def _restore(self, entry: Entry, plan: dict[str, Any]) -> None:
        """Everything as it was, however far it came.

        Raises:
            Failure: something is in the way; the journal keeps what it was.
        """
        steps = plan["steps"]
        same_boot = plan["boot_id"] == self._machine.boot_id()
        try:
            for step in reversed(steps):
                self._nodes.take_back(step, entry)
            if self._machine.live:
                self._reload(steps)
                for step in reversed(steps):
                    self._act_back(step, same_boot=same_boot)
        except (OSError, Failure) as error:
            told = _told(error, entry.path)
            hint = told.hint or "mend that, and run memfit undo again"
            kind = "drift" if told.kind == "drift" else "undo"
            raise Failure(kind, told.message, hint=hint, diff=told.diff, journal=entry.path) from error

    def _act_back(self, step: dict[str, Any], *, same_boot: bool) -> None:
        if step["kind"] == "unit":
            running = self._machine.unit(step["unit"]).get("ActiveState") in ("active", "activating", "reloading")
            if running != step["before"] and (step["before"] or same_boot):
                self._machine.set_active(step["unit"], step["before"])
        elif step["kind"] == "value" and step["path"] not in _ONE_WAY:
            # after another boot it is ours only where a file of ours set it again
            if self._machine.value(step["path"]) == step["after"]:
                self._machine.set_value(step["path"], step["before"])
        elif step["kind"] == "run" and (same_boot or step["lasting"]):
            self._run(step["undo"])

    def _discard(self, entry: Entry) -> None:
        """Throw away what was only being prepared; only whole plans ever put names beside anything."""
        try:
            steps = self.journal.plan(entry)["steps"]
        except Failure:
            steps = []
        self._nodes.sweep(entry, steps)
        for step in reversed(steps):
            if step["kind"] == "node" and after_of(step).kind == "folder" and not self._tree.names(step["path"]):
                self._tree.remove(step["path"])
        self.journal.drop(entry)

    def _sweep_known(self, entry: Entry) -> None:
        try:
            steps = self.journal.plan(entry)["steps"]
        except Failure:
            return  # who asks for this one is told
        self._nodes.sweep(entry, steps)

    def _last_applied(self) -> Entry:
        applied = [entry for entry in self.journal.entries() if entry.state == "applied"]
        if not applied:
            raise Failure("refused", "nothing is applied here", hint="memfit status shows what was")
        return applied[-1]


# writing these does something once; there is no value to go back to
_ONE_WAY = ("/proc/sys/vm/drop_caches", "/proc/sys/vm/compact_memory")


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A closed terminal, Ctrl-C and a polite kill wait until things are whole; programs started here inherit none."""
    numbers = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)
    try:
        earlier = {number: signal.signal(number, lambda *_: None) for number in numbers}
    except ValueError:  # not the main thread: whoever runs it there has its own way
        yield
        return
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _told(error: Exception, where: str) -> Failure:
    return error if isinstance(error, Failure) else of_system(where, error)  # type: ignore[arg-type]
