"""Targets that change by themselves later on: what a program makes anew, and what a boot puts back.

Files that only take room (``memfit.agent.spaces``) and what programs set (``memfit.agent.shown``) go along with them.

A program whose ``do`` and ``undo`` are the same makes files anew from others (``update-grub``). What they held before
is kept and put back as it was; only where somebody made them anew since, as every new kernel does, it runs again.
"""

from __future__ import annotations

import base64
import hashlib
from contextlib import suppress
from typing import Any

from memfit.agent import boot
from memfit.agent.failure import Failure, of_system
from memfit.agent.journal import Entry, Journal
from memfit.agent.machine import Machine
from memfit.agent.nodes import Nodes
from memfit.agent.shown import Shown
from memfit.agent.spaces import Spaces
from memfit.agent.steps import after_of, before_of, begun, content_of, touched_of
from memfit.agent.tree import Node, Tree, node_of
from memfit.agent.trial import TRIAL, Tried, read_trial, settle

_MADE = "made"


class Targets(Nodes):
    """``Nodes``, with the files that steps of kind ``run`` touch, and those that are tried for one boot."""

    def __init__(self, tree: Tree, journal: Journal, machine: Machine) -> None:
        super().__init__(tree, journal)
        self._machine = machine
        self._spaces = Spaces(tree, journal)
        self._shown = Shown(machine, journal)

    def contents(self, steps: list[dict[str, Any]]) -> dict[int, bytes]:
        """See ``Nodes.contents``."""
        return super().contents([one for step in steps for one in (step, *touched_of(step))])

    def stage(self, step: dict[str, Any], entry: Entry) -> None:
        """See ``Nodes.stage``; a copy of what a program may write over, as a second name would change with it."""
        super().stage(step, entry)
        self._spaces.stage(step, entry)
        self._copy(step, entry)

    def stage_before(self, step: dict[str, Any], entry: Entry) -> None:
        """See ``Nodes.stage_before``."""
        super().stage_before(step, entry)
        self._copy(step, entry)

    def announce(self, steps: list[dict[str, Any]], entry: Entry) -> None:
        """Remember that a program will make a boot loader's file, before anything that it is made of changes.

        Raises:
            Failure: the journal is damaged.
            OSError: it cannot be noted.
        """
        for step in steps:
            if step["kind"] == "run" and step.get("trial") is not None:
                trial, path = step["trial"], _tried(step)
                (touched,) = (one for one in touched_of(step) if one["path"] == path)
                before = self._journal.before(entry, touched["number"], before_of(touched).sha256)
                file = Tried(path, before, before, before_of(touched))
                sources = [
                    self._source(one, entry)
                    for one in steps
                    if one["kind"] == "node" and one["path"] in trial["sources"]
                ]
                boot.announce(self._tree, self._machine, entry.id, file, sources, trial)

    def put(self, step: dict[str, Any], entry: Entry) -> None:
        """See ``Nodes.put``; what is tried is remembered first."""
        self._spaces.put(step, entry)
        if step["kind"] != "node" or step.get("trial") is None:
            super().put(step, entry)
            return
        try:
            self._begin(step, entry)
        except OSError as error:
            raise of_system(TRIAL, error) from error
        super().put(step, entry)
        settle()

    def verify(self, step: dict[str, Any]) -> None:
        """See ``Nodes.verify``."""
        super().verify(step)
        self._spaces.verify(step)

    def free(self, steps: list[dict[str, Any]], entry: Entry) -> None:
        """Remove files that only took room, once whatever used them was ended.

        Raises:
            Failure: something still uses one, or somebody put something else in its place.
        """
        self._spaces.free(steps, entry)

    def made(self, steps: list[dict[str, Any]], entry: Entry) -> None:
        """Note what programs made of the files that they touch, so that it is known again.

        Raises:
            OSError: it cannot be noted.
        """
        found = {one["path"]: self._tree.node(one["path"])._asdict() for step in steps for one in touched_of(step)}
        if found:
            self._journal.note(entry, _MADE, found)
        boot.made(self._tree, entry.id)

    def take_back(self, steps: list[dict[str, Any]], entry: Entry) -> None:
        """See ``Nodes.take_back``; files that were made anew since are left to their program."""
        self.refuse_drift(steps, entry)
        for step in reversed(steps):
            self._touched_back(step, entry)
        super().take_back(steps, entry)
        for step in steps:
            if step.get("trial") is not None:
                try:
                    boot.forget(self._tree, entry.id)
                except OSError as error:
                    raise of_system(TRIAL, error) from error
                with suppress(OSError):  # a full disk keeps nothing from going back
                    self._try_earlier(step, entry)
                settle()

    def check_drift(self, step: dict[str, Any], entry: Entry) -> None:
        """See ``Nodes.check_drift``; what a boot fell back to is memfit's own as well."""
        for one in touched_of(step):
            if self._is_anew(one, entry) and not self._machine.live:
                raise Failure(
                    "drift",
                    f"{one['path']}: it was made anew since {entry.id} was applied",
                    hint=f"undo it where it runs: {' '.join(step['undo'])} has to make it anew again",
                    journal=entry.path,
                )
        trial = step.get("trial")
        if trial is not None and step["kind"] == "node":
            other = hashlib.sha256(base64.b64decode(trial["fallback"])).hexdigest()
            if self._now(step).same_as(after_of(step)._replace(sha256=other)):
                return
        self._spaces.check_drift(step, entry)
        if self._machine.live:
            self._shown.check_drift(step, entry)
        if step["kind"] != "node" or not boot.has_fallen(self._tree, entry.id, step["path"]):
            super().check_drift(step, entry)

    def sweep(self, entry: Entry, steps: list[dict[str, Any]]) -> None:
        """See ``Nodes.sweep``."""
        super().sweep(entry, [one for step in steps for one in (step, *touched_of(step))])
        for step in steps:
            try:
                self._spaces.sweep(step, entry)
            except OSError as error:
                raise of_system(step["path"], error) from error

    def _copy(self, step: dict[str, Any], entry: Entry) -> None:
        for one in touched_of(step):
            try:
                self._rebuild(one, entry)
            except OSError as error:
                raise of_system(one["path"], error) from error

    def _touched_back(self, step: dict[str, Any], entry: Entry) -> None:
        touched = touched_of(step)
        if not touched or any(self._is_anew(one, entry) for one in touched):
            return
        try:
            for one in touched:
                self._take_back(one, entry)
            self._journal.forget(entry, begun(step))  # it need not run again
        except OSError as error:
            raise of_system(touched[0]["path"], error) from error

    def _try_earlier(self, step: dict[str, Any], entry: Entry) -> None:
        """Try what an earlier transaction left there, whose trial this one's took the place of.

        Raises:
            OSError: it cannot be noted.
        """
        path = _tried(step)
        now = self._tree.node(path)
        for earlier in reversed(self._journal.entries()):
            if read_trial(self._tree) or earlier.state != "applied" or earlier.number >= entry.number:
                continue
            with suppress(Failure):  # a damaged plan is told to who asks for it
                steps = self._journal.plan(earlier)["steps"]
                for one in steps:
                    if one.get("trial") and _tried(one) == path and self._is_as_made(one, now, earlier):
                        if one["kind"] == "node":
                            self._begin(one, earlier)
                        else:
                            self.announce(steps, earlier)
                            boot.made(self._tree, earlier.id)

    def _begin(self, step: dict[str, Any], entry: Entry) -> None:
        trial = step["trial"]
        contents = content_of(step), base64.b64decode(trial["fallback"])
        boot.begin(self._tree, self._machine, entry.id, step["path"], contents, trial)

    def _is_anew(self, one: dict[str, Any], entry: Entry) -> bool:
        """Neither what it was nor what the program left; without a note it came to no end, and all of it is ours."""
        made = self._journal.noted(entry, _MADE).get(one["path"])
        now = self._now(one)
        if made is None or now.same_as(before_of(one)) or now.same_as(node_of(made)):
            return False
        return not boot.has_fallen(self._tree, entry.id, one["path"])

    def _is_as_made(self, step: dict[str, Any], now: Node, entry: Entry) -> bool:
        """Whether a file that is tried is what a transaction made of it."""
        if step["kind"] == "node":
            return now.same_as(after_of(step))
        made = self._journal.noted(entry, _MADE).get(_tried(step))
        return made is not None and now.same_as(node_of(made))

    def _source(self, step: dict[str, Any], entry: Entry) -> Tried:
        """What a boot loader's file is made from, as it will be and as it is."""
        before, after = before_of(step), after_of(step)
        was = self._journal.before(entry, step["number"], before.sha256) if before.kind == "file" else None
        return Tried(step["path"], content_of(step) if after.kind == "file" else None, was, after)


def _tried(step: dict[str, Any]) -> str:
    """The boot loader's file of a step with a trial."""
    return str(step["path"] if step["kind"] == "node" else step["trial"]["path"])
