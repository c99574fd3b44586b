"""What somebody made of a file, link or folder since, for a person to read."""

from __future__ import annotations

import difflib
from contextlib import suppress
from typing import Any

from memfit.agent.steps import after_of, content_of
from memfit.agent.tree import Node, Tree

_MOST_DIFF_LINES = 60


def difference(step: dict[str, Any], now: Node, tree: Tree) -> str:
    """From what was applied to what is there now."""
    after = after_of(step)
    ours = content_of(step).decode("utf-8", "replace").splitlines() if after.kind == "file" else [_words(after)]
    theirs = [_words(now)]
    if now.kind == "file":
        with suppress(OSError):  # it is gone already
            theirs = tree.read(step["path"]).decode("utf-8", "replace").splitlines()
    if ours == theirs:
        ours, theirs = [_words(after)], [_words(now)]
    was, there = f"{step['path']} (applied)", f"{step['path']} (now)"
    lines = list(difflib.unified_diff(ours, theirs, was, there, lineterm=""))
    more = [f"… {len(lines) - _MOST_DIFF_LINES} more lines"] if len(lines) > _MOST_DIFF_LINES else []
    return "\n".join((*lines[:_MOST_DIFF_LINES], *more))


def _words(node: Node) -> str:
    if node.kind == "link":
        return f"a link to {node.target}"
    if node.kind == "file":
        return f"a file of mode {node.mode:04o}, owner {node.uid}:{node.gid}"
    return "nothing" if node.kind == "absent" else f"a {node.kind}"
