"""How one file, link or folder of a plan becomes another: prepared beside it, then one rename."""

from __future__ import annotations

import hashlib
from typing import Any

from memfit.agent import theirs
from memfit.agent.differences import difference
from memfit.agent.failure import Failure, of_system
from memfit.agent.journal import Entry, Journal
from memfit.agent.steps import after_of, before_of, beside, content_of, key_of
from memfit.agent.tree import MOST_BYTES, Node, Tree

_KEPT = "kept"


class Nodes:
    """The steps of kind ``node``; other kinds are none of its business and pass."""

    def __init__(self, tree: Tree, journal: Journal) -> None:
        self._tree = tree
        self._journal = journal

    def contents(self, steps: list[dict[str, Any]]) -> dict[int, bytes]:
        """What files hold, by number of step.

        Raises:
            Failure: not all of it can be kept, or somebody changes it right now.
        """
        files = [step for step in steps if step["kind"] == "node" and before_of(step).kind == "file"]
        return {step["number"]: self._content(step) for step in files}

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
                self._tree.flush(step["path"])
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

    def verify(self, step: dict[str, Any]) -> None:
        """Read it again.

        Raises:
            Failure: it is not what was written.
        """
        if step["kind"] == "node" and not self._now(step).same_as(after_of(step)):
            raise Failure("apply", f"{step['path']}: it is not what was written")

    def take_back(self, steps: list[dict[str, Any]], entry: Entry) -> None:
        """Everything as it was, however far it came; and no name beside anything any more.

        Raises:
            Failure: somebody changed something since, and nothing was done; or the kernel refuses.
        """
        left = self.refuse_drift(steps, entry)
        for step in (step for step in self._put(steps, entry) if step["number"] not in left):
            try:
                self._take_back(step, entry)
            except OSError as error:
                raise of_system(key_of(step), error) from error
        self.discard(steps, entry)

    def refuse_drift(self, steps: list[dict[str, Any]], entry: Entry) -> set[int]:
        """Nothing where all that was put in place is as it was or as it was made to be.

        Returns:
            Numbers of the steps whose targets are somebody else's by now, and were agreed to stay so.

        Raises:
            Failure: somebody changed something.
        """
        agreed, left = theirs.agreed(self._journal, entry), set()
        for step, failure in self.drifted(self._put(steps, entry), entry):
            if step["number"] not in agreed:
                raise failure
            left.add(step["number"])
        return left

    def drifted(self, steps: list[dict[str, Any]], entry: Entry) -> list[tuple[dict[str, Any], Failure]]:
        """Steps whose targets somebody changed since they were put in place, each with the difference.

        Raises:
            Failure: the kernel refuses to look.
        """
        found = []
        for step in steps:
            try:
                if not self._is_only_staged(step, entry):
                    self.check_drift(step, entry)
            except Failure as failure:
                if failure.kind != "drift":
                    raise
                found.append((step, failure))
        return found

    def discard(self, steps: list[dict[str, Any]], entry: Entry) -> None:
        """Nothing of what was staged: no name beside anything, and no folder that was made and holds nothing.

        Raises:
            Failure: the kernel refuses.
        """
        self.sweep(entry, steps)
        for step in filter(_is_folder, reversed(steps)):
            try:
                self._tree.remove_folder(step["path"])
            except OSError as error:
                raise of_system(step["path"], error) from error

    def remove_kept_folders(self, steps: list[dict[str, Any]], entry: Entry) -> None:
        """Folders that were not empty when the transaction that made them was taken back, and are so without these.

        Raises:
            OSError: which ones are kept now cannot be noted.
        """
        around = {path for step in steps if step["kind"] == "node" for path in _above(step["path"])}
        kept = [step["path"] for step in filter(_is_folder, steps) if self._now(step).kind == "folder"]
        if kept:
            self._journal.note(entry, _KEPT, {"folders": kept})
        for earlier in self._journal.entries():
            folders = self._journal.noted(earlier, _KEPT).get("folders", []) if earlier.state == "undone" else []
            for path in sorted(around.intersection(folders), reverse=True):  # the inner ones first
                self._tree.remove_folder(path)
            if folders and all(self._tree.node(path).kind == "absent" for path in folders):
                self._journal.forget(earlier, _KEPT)  # one of that name is somebody else's from now on

    def _take_back(self, step: dict[str, Any], entry: Entry) -> None:
        """What was there, by one rename; nothing where it is there.

        Raises:
            Failure: the journal is damaged.
            OSError: what the kernel refuses.
        """
        if step["kind"] != "node":
            return
        before, path = before_of(step), step["path"]
        if self._tree.node(path).same_as(before):
            return
        if before.kind == "absent":
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
        now, after, path = self._now(step), after_of(step), step["path"]
        if now.same_as(after) or now.same_as(before_of(step)):
            return
        if after.kind == "folder" and now.kind == "folder":
            return
        raise Failure(
            "drift",
            f"{path}: somebody changed it since {entry.id} was applied",
            hint="put it back by hand, or keep it: the journal has what it held before memfit",
            diff=difference(step, now, self._tree),
            journal=entry.path,
        )

    def sweep(self, entry: Entry, steps: list[dict[str, Any]]) -> None:
        """No name beside any target any more.

        Raises:
            Failure: the kernel refuses.
        """
        for step in steps:
            if step["kind"] == "node":
                for which in ("after", "before"):
                    name = beside(step, entry.id, which)
                    try:
                        if self._tree.node(name).kind != "absent":
                            self._tree.remove(name)
                    except OSError as error:
                        raise of_system(name, error) from error

    def _content(self, step: dict[str, Any]) -> bytes:
        path = step["path"]
        try:
            content = self._tree.read(path)
        except OSError as error:
            raise of_system(path, error) from error
        if len(content) == MOST_BYTES:
            raise Failure("refused", f"{path}: it is too long to be kept for undo")
        if hashlib.sha256(content).hexdigest() != before_of(step).sha256:
            raise Failure("drift", f"{path}: somebody changed it this very moment")
        return content

    def _now(self, step: dict[str, Any]) -> Node:
        try:
            return self._tree.node(step["path"])
        except OSError as error:
            raise of_system(step["path"], error) from error

    def _put(self, steps: list[dict[str, Any]], entry: Entry) -> list[dict[str, Any]]:
        """All steps that are to be taken back, in that order; folders go last of all."""
        return [step for step in reversed(steps) if not _is_folder(step) and not self._is_only_staged(step, entry)]

    def _is_only_staged(self, step: dict[str, Any], entry: Entry) -> bool:
        """Whether it never came to the rename; what somebody made of the target meanwhile is then none of ours."""
        if entry.state != "open" or step["kind"] != "node":
            return False
        if after_of(step).kind != "absent":
            return self._tree.node(beside(step, entry.id, "after")).kind != "absent"
        return self._now(step).kind != "absent" and self._tree.node(beside(step, entry.id, "before")).kind == "absent"

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


def _above(path: str) -> list[str]:
    """All folders that lead to a path."""
    names = path.strip("/").split("/")
    return ["/" + "/".join(names[:count]) for count in range(1, len(names))]


def _is_folder(step: dict[str, Any]) -> bool:
    return bool(step["kind"] == "node" and after_of(step).kind == "folder")
