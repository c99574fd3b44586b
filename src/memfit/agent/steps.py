"""Changes that were asked for as steps of a plan: what is there, what shall be, and how each is taken back.

A change is an object of JSON with a ``kind`` and, if it likes, a ``why``:

    file     path, content (base64), mode or null, expects: digest of the file it was made from, or null
    link     path, target
    remove   path
    unit     unit, active
    value    path, text
    run      do, undo: words; touches: paths of files it writes; lasting: whether a boot keeps what it did

The first three, and the folders that they need, become steps of kind ``node``.
"""

from __future__ import annotations

import base64
import hashlib
import os
import posixpath
from typing import Any

from memfit.agent.denied import check
from memfit.agent.failure import Failure, of_system
from memfit.agent.machine import Machine
from memfit.agent.tree import ABSENT, Node, Tree, node_of

Step = dict  # of JSON


def plan_steps(changes: list[dict[str, Any]], tree: Tree, machine: Machine) -> list[dict[str, Any]]:
    """Steps for what differs from what was asked for; none where all is so already.

    Raises:
        Failure: a change is never made, or what it was made from is not there any more.
    """
    steps: list[dict[str, Any]] = []
    for change in changes:
        check(change, tree)
    for change in changes:
        found = _node_steps(change, tree) if change["kind"] in ("file", "link", "remove") else _step(change, machine)
        for step in found:
            if step["kind"] == "node" and any(_same_place(step, other) for other in steps):
                if step["after"]["kind"] == "folder":
                    continue
                raise Failure("refused", f"{step['path']}: two changes of one file in one transaction")
            steps.append({**step, "why": change.get("why", ""), "number": len(steps)})
    return steps


def content_of(step: dict[str, Any]) -> bytes:
    """What a step's file shall hold."""
    return base64.b64decode(step["content"])


def beside(step: dict[str, Any], id: str, which: str) -> str:
    """The name next to a step's path that is used until the change is made (``after``) or for good (``before``).

    Nobody else's names begin with a point and end like this, and neither systemd, nor sysctl, nor a boot loader reads
    them.
    """
    folder, name = posixpath.split(step["path"])
    return f"{folder}/.{name[:180]}.memfit-{id}-{step['number']}.{which}"


def before_of(step: dict[str, Any]) -> Node:
    """What was at a node step's path."""
    return node_of(step["before"])


def after_of(step: dict[str, Any]) -> Node:
    """What shall be there."""
    return node_of(step["after"])


def _same_place(step: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(other["kind"] == "node" and other["path"] == step["path"])


def _node_steps(change: dict[str, Any], tree: Tree) -> list[dict[str, Any]]:
    path = change["path"]
    try:
        if change["kind"] == "file":
            path = tree.real(path)
        before = tree.node(path)
    except OSError as error:
        raise of_system(path, error) from error
    if before.kind in ("folder", "other"):
        raise Failure("refused", f"{path}: there is a {before.kind} where a file is expected")
    expected = change.get("expects")
    if expected is not None and before.sha256 != expected:
        raise Failure("drift", f"{path}: it changed since it was read", hint="ask again: the change is made anew")
    after, content = _wanted(change, before)
    if before.same_as(after):
        return []
    folders = _missing(path, tree) if after.kind != "absent" else []
    return [
        *folders,
        {"kind": "node", "path": path, "before": before._asdict(), "after": after._asdict(), "content": content},
    ]


def _wanted(change: dict[str, Any], before: Node) -> tuple[Node, str | None]:
    uid, gid = os.geteuid(), os.getegid()
    if change["kind"] == "remove":
        return ABSENT, None
    if change["kind"] == "link":
        return Node("link", target=change["target"], uid=uid, gid=gid), None
    content = change["content"]
    sha256 = hashlib.sha256(base64.b64decode(content)).hexdigest()
    mode = change.get("mode")
    if before.kind != "file":
        return Node("file", sha256, mode=0o644 if mode is None else mode, uid=uid, gid=gid), content
    return before._replace(sha256=sha256, mode=before.mode if mode is None else mode, mtime_ns=0), content


def _missing(path: str, tree: Tree) -> list[dict[str, Any]]:
    folders = []
    folder = posixpath.dirname(path)
    while folder not in ("", "/") and tree.node(folder).kind == "absent":
        after = Node("folder", mode=0o755, uid=os.geteuid(), gid=os.getegid())
        folders.append(
            {"kind": "node", "path": folder, "before": ABSENT._asdict(), "after": after._asdict(), "content": None}
        )
        folder = posixpath.dirname(folder)
    return folders[::-1]


def _step(change: dict[str, Any], machine: Machine) -> list[dict[str, Any]]:
    kind = change["kind"]
    if not machine.live:
        return []  # an image: its files say all
    if kind == "unit":
        state = machine.unit(change["unit"])
        running = state.get("ActiveState") in ("active", "activating", "reloading")
        if not state or running == change["active"]:
            return []
        return [{"kind": "unit", "unit": change["unit"], "before": running, "after": change["active"]}]
    if kind == "value":
        now = machine.value(change["path"])
        if now is None:
            raise Failure("refused", f"{change['path']}: this kernel has no such value")
        if now == change["text"]:
            return []
        return [{"kind": "value", "path": change["path"], "before": now, "after": change["text"]}]
    return [{"kind": "run", "do": change["do"], "undo": change["undo"], "lasting": bool(change.get("lasting"))}]
