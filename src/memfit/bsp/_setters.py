"""Who sets a node of a boot configuration: every place of its files, in the order in which they override each other.

Taken from the preprocessed text, so that includes stand where they count, names are numbers already, and references by
label or by path lead to the node that they change.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple

from memfit.bsp.merged import Merged
from memfit.bsp.source import Node, Source, parse

_MARKER = re.compile(r'^# (\d+) "([^"\n]*)"[^\n]*$', re.M)


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
    text = merged.text.decode("utf-8", "surrogateescape")
    markers = [(match.end() + 1, int(match[1]), match[2]) for match in _MARKER.finditer(text)]
    source = parse(_MARKER.sub(lambda match: " " * len(match[0]), text), f"{merged.main} with all it includes")
    begins = [begin for begin, _, _ in markers]
    labels: dict[str, str] = {}
    found = []
    for root in source.roots:
        for node in root.walk():
            path = _resolved(node.path, labels)
            labels.update(dict.fromkeys(node.labels, path))
            at = bisect_right(begins, node.start) - 1
            begin, line, file = markers[at] if at >= 0 else (0, 1, merged.main)
            found.append(Setter(path, file, line + _lines(source, begin, node.start), node))
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


def _lines(source: Source, begin: int, end: int) -> int:
    return source.text.count("\n", begin, end)
