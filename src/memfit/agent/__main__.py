"""The agent as a program of its own: what a machine runs to try a boot, or one request and its answer.

::

    python3 agent.pyz early [ROOT]      early in a boot: the boot loader's file names the label before
    python3 agent.pyz confirm [ROOT]    later in it: the new label stays where all is well
    python3 agent.pyz [MARKER]          a request on standard input; its answer is one line, behind the marker's
"""

from __future__ import annotations

import json
import sys
from typing import Any

from memfit.agent import boot
from memfit.agent.tree import Tree


def main(words: list[str]) -> int:
    """Run it; the exit status is 0 where it could do what it was asked for."""
    if words[:1] in (["early"], ["confirm"]):
        said = _try(words[0], words[1] if len(words) > 1 else "/")
        print(json.dumps(said), flush=True)  # noqa: T201  systemd keeps it in its journal
        return 1 if "failure" in said else 0
    from memfit.agent.main import answer

    said = answer(json.loads(sys.stdin.buffer.read()))
    for line in (*words[:1], json.dumps(said)):
        print(line)  # noqa: T201  whoever asked reads it
    sys.stdout.flush()
    return 0


def _try(action: str, root: str) -> dict[str, Any]:
    try:
        tree = Tree(root)
        if action == "early":
            trial = boot.early(tree)
        else:
            from memfit.agent.machine import Image, Machine

            trial = boot.confirm(tree, Machine() if root == "/" else Image())
    except OSError as error:
        return {"failure": str(error)}
    return {name: trial.get(name) for name in ("id", "state", "reasons")}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
