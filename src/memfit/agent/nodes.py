"""How one file, link or folder of a plan becomes another: prepared beside it, then one rename."""

from __future__ import annotations

import difflib
from typing import Any

from memfit.agent.failure import Failure, of_system
from memfit.agent.journal import Entry, Journal
from memfit.agent.steps import after_of, before_of, beside, content_of
from memfit.agent.tree import Node, Tree

_MOST_DIFF_LINES = 60


class Nodes:
    """The steps of kind ``node``; other kinds are none of its business and pass."""

    def __init__(self, tree: Tree, journal: Journal) -> None:
        self._tree = tree
        self._journal = journal

    def stage(self, step: dict[str, Any], entry: Entry) -> None:
        """What shall be there, under its name beside; and a second name for what is."""
        if step["kind"] != "node":
            return
        before, after, path = before_of(step), after_of(step), step["path"]
        try:
            if after.kind == "folder":
                self._tree.make_folder(path, after.mode)  # empty, it means nothing to anybody
            elif after.kind == "file":
                self._tree.write(beside(step, entry.id, "after"), content_of(step), after)
            elif after.kind == "link":
                self._tree.link(beside(step, entry.id, "after"), after.target, after)
            # a name that is removed is renamed, and needs no second one
            if before.kind != "absent" and after.kind != "absent":
                self._keep(step, entry)
            self._tree.flush(path)
        except OSError as error:
            raise of_system(path, error) from error

    def stage_before(self, step: dict[str, Any], entry: Entry) -> None:
        """What was there, under its name beside, before anything is taken back.

        Raises:
            Failure: there is no space for it, or the journal is damaged.
        """
        if step["kind"] == "node" and before_of(step).kind in ("file", "link"):
            try:
                self._rebuild(step, entry)
            except OSError as error:
                raise of_system(step["path"], error) from error

    def put(self, step: dict[str, Any], entry: Entry) -> None:
        """Make one change, by one rename."""
        if step["kind"] != "node":
            return
        after, path = after_of(step), step["path"]
        try:
            if after.kind == "folder":
                return
            if not self._tree.node(path).same_as(before_of(step)):
                raise Failure("drift", f"{path}: somebody changed it this very moment")
            if after.kind == "absent":
                self._tree.rename(path, beside(step, entry.id, "before"))
            else:
                self._tree.rename(beside(step, entry.id, "after"), path)
        except OSError as error:
            raise of_system(path, error) from error

    def take_back(self, step: dict[str, Any], entry: Entry) -> None:
        """What was there, by one rename; nothing where it is there.

        Raises:
            Failure: somebody changed it since.
            OSError: what the kernel refuses.
        """
        if step["kind"] != "node":
            return
        before, path = before_of(step), step["path"]
        now = self._tree.node(path)
        if now.same_as(before):
            return
        self.check_drift(step, entry)
        if before.kind == "absent":
            if after_of(step).kind != "folder" or not self._tree.names(path):
                self._tree.remove(path)
            return
        name = beside(step, entry.id, "before")
        if not self._tree.node(name).same_as(before):
            self._rebuild(step, entry)
        self._tree.rename(name, path)

    def check_drift(self, step: dict[str, Any], entry: Entry) -> None:
        """Nothing where the target is what it was or what it was made to be.

        Raises:
            Failure: somebody changed it; with the difference.
        """
        if step["kind"] != "node":
            return
        now, after, path = self._tree.node(step["path"]), after_of(step), step["path"]
        if now.same_as(after) or now.same_as(before_of(step)):
            return
        if after.kind == "folder" and now.kind == "folder":
            return
        raise Failure(
            "drift",
            f"{path}: somebody changed it since {entry.id} was applied",
            hint="put it back by hand, or keep it: the journal has what it held before memfit",
            diff=self._diff(step, now),
            journal=entry.path,
        )

    def sweep(self, entry: Entry, steps: list[dict[str, Any]]) -> None:
        """No name beside any target any more."""
        for step in steps:
            if step["kind"] == "node":
                for which in ("after", "before"):
                    name = beside(step, entry.id, which)
                    if self._tree.node(name).kind != "absent":
                        self._tree.remove(name)

    def _keep(self, step: dict[str, Any], entry: Entry) -> None:
        if not self._tree.keep(step["path"], beside(step, entry.id, "before")):
            self._rebuild(step, entry)

    def _rebuild(self, step: dict[str, Any], entry: Entry) -> None:
        """What was there, made anew from the journal under its name beside."""
        before, name = before_of(step), beside(step, entry.id, "before")
        if before.kind == "link":
            self._tree.link(name, before.target, before)
        elif before.kind == "file":
            self._tree.write(name, self._journal.before(entry, step["number"], before.sha256), before)

    def _diff(self, step: dict[str, Any], now: Node) -> str:
        """From what was applied to what is there now."""
        after = after_of(step)
        ours = content_of(step).decode("utf-8", "replace").splitlines() if after.kind == "file" else [_words(after)]
        theirs = [_words(now)]
        if now.kind == "file":
            theirs = self._tree.read(step["path"]).decode("utf-8", "replace").splitlines()
        if ours == theirs:
            ours, theirs = [_words(after)], [_words(now)]
        lines = difflib.unified_diff(ours, theirs, f"{step['path']} (applied)", f"{step['path']} (now)", lineterm="")
        return "\n".join(list(lines)[:_MOST_DIFF_LINES])


def _words(node: Node) -> str:
    if node.kind == "link":
        return f"a link to {node.target}"
    if node.kind == "file":
        return f"a file of mode {node.mode:04o}, owner {node.uid}:{node.gid}"
    return "nothing" if node.kind == "absent" else f"a {node.kind}"
