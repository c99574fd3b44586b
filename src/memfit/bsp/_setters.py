"""Who sets a node of a boot configuration: every place of its files, in the order in which they override each other.

Taken from the preprocessed text, so that includes stand where they count, names are numbers already, and references by
label or by path lead to the node that they change.
"""

from __future__ import annotations

from typing import NamedTuple

from memfit.bsp._origins import Origins
from memfit.bsp.merged import Merged
from memfit.bsp.source import Node, parse


class Setter(NamedTuple):
    """A place that sets a node; ``path`` is the node's once compiled."""

    path: str
    file: str
    line: int
    node: Node

    @property
    def place(self) -> str:
        """For messages."""
        return f"{self.file}, line {self.line}"


def setters(merged: Merged) -> tuple[Setter, ...]:
    """All of them, the last one has the last word.

    Raises:
        ProbeError: the text cannot be read as a source.
    """
    origins = Origins(merged.text.decode("utf-8", "surrogateescape"), merged.main)
    source = parse(origins.text, f"{merged.main} with all it includes")
    labels: dict[str, str] = {}
    found = []
    for root in source.roots:
        for node in root.walk():
            path = _resolved(node.path, labels)
            labels.update(dict.fromkeys(node.labels, path))
            found.append(Setter(path, *origins.of(node.start), node))
    return tuple(found)


def setters_of(every: tuple[Setter, ...], path: str) -> tuple[Setter, ...]:
    """Those of one node, and of what is below it where they reach it by a reference of its own."""
    return tuple(
        one for one in every if one.path == path or (one.path.startswith(f"{path}/") and one.node.path.startswith("&"))
    )


def _resolved(path: str, labels: dict[str, str]) -> str:
    if not path.startswith("&"):
        return path
    if path.startswith("&{"):
        inside, _, below = path[2:].partition("}")
        return inside.strip() + below
    label, slash, below = path[1:].partition("/")
    return f"{labels.get(label, f'&{label}')}{slash}{below}"
