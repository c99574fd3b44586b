"""Changes that were asked for as steps of a plan: what is there, what shall be, and how each is taken back.

A change is an object of JSON with a ``kind`` and, if it likes, a ``why``:

    file     path, content (base64), mode or null, expects: digest of the file it was made from, or null; trial:
             fallback (base64), original and expects of a boot that is tried (``boot.begin``), or null
    link     path, target
    remove   path
    unit     unit, active
    value    path, text
    space    path, bytes: a new file that takes this much room (``memfit.agent.spaces``)
    run      do, undo: words; touches: paths of files it writes; lasting: whether a boot keeps what it did; trial: the
             path of one of those, sources that it is made from, and expects of a boot that is tried (``boot.announce``)

The first three, and the folders that they need, become steps of kind ``node``.
"""

from __future__ import annotations

import base64
import hashlib
import os
import posixpath
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from memfit.agent.denied import Aliases, check
from memfit.agent.failure import Failure, of_system
from memfit.agent.machine import ONE_WAY, Machine
from memfit.agent.request import check_changes
from memfit.agent.room import plan_space
from memfit.agent.tree import ABSENT, Node, Tree, node_of

_NODES = ("file", "link", "remove")
_MOST_STEPS = 10_000
_SETS = {"nvpmodel": "power mode and clocks", "jetson_clocks": "power mode and clocks"}
"""What programs set, where two set the same: a mode has clocks of its own."""
if TYPE_CHECKING:  # what Python 3.8 cannot evaluate
    # the last word on a change: it raises Failure for what is never made
    Policy = Callable[[dict[str, Any], Aliases], None]


def plan_steps(changes: Any, tree: Tree, machine: Machine, policy: Policy = check) -> list[dict[str, Any]]:
    """Steps for what differs from what was asked for; none where all is so already.

    Raises:
        Failure: a change is never made, or what it was made from is not there any more.
    """
    check_changes(changes)
    aliases = Aliases(tree)
    placed: dict[tuple[str, str], dict[str, Any]] = {}
    for change in changes:
        policy(change, aliases)
        there = _placed(change, tree, aliases, policy)
        key = _subject(there)
        if _without_why(placed.setdefault(key, there)) != _without_why(there):
            raise Failure("refused", f"{key[1]}: two changes of it in one transaction")
    steps: list[dict[str, Any]] = []
    for change in placed.values():
        found = _node_steps(change, tree) if change["kind"] in _NODES else _step(change, machine, tree)
        for step in found:
            is_folder = step["kind"] == "node" and step["after"]["kind"] == "folder"
            if is_folder and any(other.get("path") == step["path"] for other in steps):
                continue  # another one needs it too
            steps.append({**step, "why": change.get("why", ""), "number": len(steps)})
    _refuse_to_write_over(steps)
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


def begun(step: dict[str, Any]) -> str:
    """The name of the note that a program was started: one that never was is not taken back."""
    return f"begun-{step['number']}"


def is_running(state: dict[str, str]) -> bool:
    """Whether a unit runs, or is about to."""
    return state.get("ActiveState") in ("active", "activating", "reloading")


def before_of(step: dict[str, Any]) -> Node:
    """What was at a node step's path."""
    return node_of(step["before"])


def after_of(step: dict[str, Any]) -> Node:
    """What shall be there."""
    return node_of(step["after"])


def touched_of(step: dict[str, Any]) -> list[dict[str, Any]]:
    """Files that a step's program makes anew, as steps of kind ``node`` whose content nobody knows yet."""
    touched = enumerate(step.get("touched", ()), _MOST_STEPS * (1 + step["number"]))
    return [
        {"kind": "node", **one, "after": one["before"], "content": None, "number": number} for number, one in touched
    ]


def key_of(step: dict[str, Any]) -> str:
    """What a step changes."""
    return _subject(step)[1]


def contended(steps: list[dict[str, Any]]) -> set[str]:
    """What two transactions are taken back in the other order for.

    A program that sets and resets is one thing whatever its words are, as ``nvpmodel`` with one mode or another; what
    was done once leaves nothing to take back.
    """
    return {_setter(step) or key_of(step) for step in steps if step.get("path") not in ONE_WAY}


def _setter(step: dict[str, Any]) -> str:
    do, undo = step.get("do"), step.get("undo")
    return _SETS.get(do[0], str(do[0])) if do and undo and do[0] == undo[0] else ""


def _refuse_to_write_over(steps: list[dict[str, Any]]) -> None:
    """A file is made into swap only by the transaction that makes the file: what is in it is lost.

    Raises:
        Failure: one is not.
    """
    made = [step["path"] for step in steps if step["kind"] == "space"]
    for words in (words for step in steps if step["kind"] == "run" for words in (step["do"], step["undo"])):
        for word in words[1:] if words[:1] == ["mkswap"] else ():
            if not word.startswith("/dev/") and word not in made:
                said = f"{' '.join(words)}: {word} is not made by this very change, and would be lost"
                raise Failure("refused", said, hint="move it away, or choose another name: what is in it is yours")


def _subject(change: dict[str, Any]) -> tuple[str, str]:
    """What a change or a step is about; of one thing there is one change. Programs are told apart by what they do."""
    if change["kind"] == "run":
        return "run", " ".join(change["do"] or change["undo"])
    return ("unit", change["unit"]) if change["kind"] == "unit" else ("path", change["path"])


def _without_why(change: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in change.items() if name != "why"}


def _placed(change: dict[str, Any], tree: Tree, aliases: Aliases, policy: Policy) -> dict[str, Any]:
    """The same change of what a path really leads to, which may be a file that is never changed."""
    if change["kind"] not in _NODES:
        return change
    path = change["path"]
    try:
        real = tree.real(path) if change["kind"] == "file" else tree.place(path)
    except OSError as error:
        raise of_system(path, error) from error
    if real == path:
        return change
    there = {**change, "path": real}
    try:
        policy(there, aliases)
    except Failure as failure:
        raise Failure("refused", f"{path} leads to {real}: {failure.message}", hint=failure.hint) from failure
    return there


def _node_steps(change: dict[str, Any], tree: Tree) -> list[dict[str, Any]]:
    path = change["path"]
    try:
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
    step = {"kind": "node", "path": path, "before": before._asdict(), "after": after._asdict(), "content": content}
    return [*folders, {**step, "trial": change["trial"]} if change.get("trial") else step]


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
    return before._replace(sha256=sha256, mode=before.mode if mode is None else mode, mtime_ns=None), content


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


def _touched(change: dict[str, Any], tree: Tree) -> list[dict[str, Any]]:
    """What stands now in files that a program makes anew from others, if it is run again."""
    if change["do"] != change["undo"]:
        return []
    try:
        paths = [tree.real(path) for path in change.get("touches") or ()]
        return [{"path": path, "before": tree.node(path)._asdict()} for path in paths]
    except OSError as error:
        raise of_system(str(error.filename or change["do"][0]), error) from error


def _trial_of_made(change: dict[str, Any], touched: list[dict[str, Any]], tree: Tree) -> dict[str, Any]:
    """The trial of what a program makes, its paths those that are really there."""
    trial = change["trial"]
    path = tree.real(trial["path"])
    if not any(one["path"] == path and one["before"]["kind"] == "file" for one in touched):
        raise Failure("refused", f"{path}: only a file that {change['do'][0]} makes anew can be tried")
    return {**trial, "path": path, "sources": [tree.real(source) for source in trial["sources"]]}


def _step(change: dict[str, Any], machine: Machine, tree: Tree) -> list[dict[str, Any]]:
    kind = change["kind"]
    if not machine.live:
        return []  # an image: its files say all
    if kind == "space":
        return plan_space(change, tree)
    if kind == "unit":
        state = machine.unit(change["unit"])
        running = is_running(state)
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
    step = {"kind": "run", "do": change["do"], "undo": change["undo"], "lasting": bool(change.get("lasting"))}
    touched = _touched(change, tree)
    if change.get("trial"):
        step["trial"] = _trial_of_made(change, touched, tree)
    return [{**step, "touched": touched} if touched else step]
