"""The state of a boot that is tried: one file, replaced as a whole, with both contents of every file that is tried.

Only root may read it: ``grub.cfg`` may hold the hash of a password. Nothing of the boot loader's is touched unless it
holds what memfit left there or put aside.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import posixpath
from typing import Any, NamedTuple

from memfit.agent.journal import HOME
from memfit.agent.tree import Node, Tree, node_of

TRIAL = f"{HOME}/trial.json"
MAKING = "being made"
"""A program makes the boot loader's file right now, and what it holds is not known yet."""
_FIELDS = {"id", "path", "tried", "fallback", "original", "expects", "boot_id", "before", "state", "reasons"}


class Tried(NamedTuple):
    """A file of a trial: as it is tried, and as it was; None where nothing is there. ``like``: mode and owner."""

    path: str
    tried: bytes | None
    fallback: bytes | None
    like: Node


def read_trial(tree: Tree) -> dict[str, Any]:
    """What is being tried, or was last; empty where nothing is, or nothing that can be read."""
    try:
        trial = json.loads(tree.read(TRIAL))
    except (OSError, ValueError):
        return {}
    if not isinstance(trial, dict) or not trial.keys() >= _FIELDS or not isinstance(trial["reasons"], list):
        return {}
    return trial if isinstance(trial["state"], str) and isinstance(trial["expects"], dict) else {}


def put(tree: Tree, trial: dict[str, Any], which: str) -> list[str]:
    """Let all files of a trial hold one of their two contents; why none of them does, where somebody changed one."""
    said = [
        f"{file['path']}: somebody changed it since, and it stays as it is"
        for file in files_of(trial)
        if digest(tree, file) not in (digest_of(file["tried"]), digest_of(file["fallback"]))
        # a program that was stopped may have left anything
        and not (trial["state"] == MAKING and file["path"] == trial["path"])
    ]
    for file in () if said else files_of(trial):
        name, content = beside_of(trial, file), file[which]
        if digest(tree, file) == digest_of(content):
            tree.remove(name)  # where power was cut while that was written
        elif content is None:
            tree.remove(file["path"])
        else:
            now = tree.node(file["path"])
            like = now if now.kind == "file" else node_of(file["like"])
            tree.write(name, base64.b64decode(content), like._replace(mtime_ns=None))
            tree.rename(name, file["path"])
    settle()
    return said


def files_of(trial: dict[str, Any]) -> list[dict[str, Any]]:
    """The boot loader's file, and what it is made from."""
    return [trial, *trial.get("sources", ())]


def digest(tree: Tree, file: dict[str, Any]) -> str:
    """Of what a file of a trial holds now; that of None where nothing is there."""
    now = tree.node(file["path"])
    return now.sha256 if now.kind == "file" else digest_of(None) if now.kind == "absent" else now.kind


def beside_of(trial: dict[str, Any], file: dict[str, Any]) -> str:
    """The name next to a file that is used until one of its contents is whole."""
    folder, name = posixpath.split(file["path"])
    return f"{folder}/.{name}.memfit-{trial['id']}.trial"


def note(tree: Tree, trial: dict[str, Any]) -> dict[str, Any]:
    """Write it, the old one standing until then."""
    ours = Node("file", mode=0o600, uid=os.geteuid(), gid=os.getegid())
    tree.write(TRIAL + ".new", json.dumps(trial, indent=1, sort_keys=True).encode(), ours)
    tree.rename(TRIAL + ".new", TRIAL)
    return trial


def both(tried: bytes | None, fallback: bytes | None) -> dict[str, Any]:
    """Both, as they are kept."""
    return {"tried": coded(tried), "fallback": coded(fallback)}


def coded(content: bytes | None) -> str | None:
    """A content as text."""
    return None if content is None else base64.b64encode(content).decode()


def digest_of(coded: str | None) -> str:
    """That of a content that is kept; empty where nothing is to be there."""
    return "" if coded is None else hashlib.sha256(base64.b64decode(coded)).hexdigest()


def settle() -> None:
    """Write all names to their own places on the disk.

    A flushed rename is in the journal of the file system, which firmware's readers of ext4 do not look into: they would
    see the old file until the kernel has written it back, after half a minute or so.
    """
    os.sync()
