"""A device tree source as nodes and properties that know where they stand in the text.

It reads what the text says, before the preprocessor and before files are merged: what a tree becomes is what ``merged``
compiles. Here it is only where to write, and where somebody else has written.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from memfit.bsp._tokens import Token, line_of, tokens
from memfit.errors import ProbeError

_DEEPEST = 64


class Property(NamedTuple):
    """``name = value;`` from ``start`` to ``end``; ``value`` is its text, and stands from ``value_start`` on."""

    name: str
    value: str
    start: int
    end: int
    value_start: int


class Removal(NamedTuple):
    """``/delete-node/ name;`` or ``/delete-property/ name;``."""

    keyword: str
    name: str
    start: int
    end: int


class Node(NamedTuple):
    """A node as this file writes it.

    Attributes:
        name: ``aux_info@CARVEOUT_VPR``, ``/``, or a reference ``&label``.
        path: names from the top, ``/misc/carveout/aux_info@CARVEOUT_VPR``.
        start, end: with its labels and its semicolon. open, close: its braces.
        comment: the last comment before it, where nothing else stands between.
    """

    name: str
    path: str
    labels: tuple[str, ...]
    start: int
    open: int
    close: int
    end: int
    comment: str
    properties: tuple[Property, ...]
    children: tuple[Node, ...]
    removals: tuple[Removal, ...]

    def walk(self) -> Iterator[Node]:
        """It and everything below it."""
        yield self
        for child in self.children:
            yield from child.walk()


class Source(NamedTuple):
    """A file: its text, and the nodes at its top level, of which ``/`` may stand there several times."""

    name: str
    text: str
    roots: tuple[Node, ...]

    def nodes(self) -> Iterator[Node]:
        """Every node of it."""
        for root in self.roots:
            yield from root.walk()

    def at(self, path: str) -> tuple[Node, ...]:
        """Nodes of this path, in order; the last one has the last word."""
        return tuple(node for node in self.nodes() if node.path == path)

    def line(self, place: int) -> int:
        """The number of the line that holds a place."""
        return line_of(self.text, place)

    @property
    def newline(self) -> str:
        """What ends most of its lines."""
        crlf = self.text.count("\r\n")
        return "\r\n" if crlf * 2 > self.text.count("\n") else "\n"


def parse(text: str, name: str) -> Source:
    """A source from its text; ``name`` is the file's, for messages.

    Raises:
        ProbeError: it is no device tree source, and where.
    """
    return Source(name, text, _Reader(text, name).roots())


class _Reader:
    """One pass over the tokens; what is no node, property or removal is passed over."""

    def __init__(self, text: str, name: str) -> None:
        self._text, self._name = text, name
        self._tokens = tuple(token for token in tokens(text, name) if token.kind != "space")
        self._at = self._depth = 0

    def roots(self) -> tuple[Node, ...]:
        _, nodes, _, close = self._body("", top=True)
        if close is not None:
            raise self._wrong(close.start, "a } without its {")
        return nodes

    def _body(
        self, path: str, *, top: bool = False
    ) -> tuple[tuple[Property, ...], tuple[Node, ...], tuple[Removal, ...], Token | None]:
        properties: list[Property] = []
        nodes: list[Node] = []
        removals: list[Removal] = []
        head: list[Token] = []
        comment = ""
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            if token.kind == "directive":
                continue
            if token.kind == "comment":
                comment = token.text if not head else comment
            elif token.text == "{":
                nodes.append(self._node(head, token, path, comment))
                head, comment = [], ""
            elif token.text == "}":
                if head:
                    raise self._wrong(head[0].start, f"{head[0].text!r} has no ; before the }}")
                return tuple(properties), tuple(nodes), tuple(removals), token
            elif token.text == ";":
                self._statement(head, token, properties, removals)
                head, comment = [], ""
            else:
                head.append(token)
        if head and not top:
            raise self._wrong(head[0].start, f"{head[0].text!r} has no end")
        return tuple(properties), tuple(nodes), tuple(removals), None

    def _node(self, head: list[Token], opened: Token, path: str, comment: str) -> Node:
        labels, name = self._named([token for token in head if token.kind != "keyword"], opened)
        inside = "/" if name == "/" else f"{path.rstrip('/')}/{name}" if path else name
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._wrong(opened.start, "nodes in nodes without end")
        properties, children, removals, close = self._body(inside)
        self._depth -= 1
        if close is None:
            raise self._wrong(opened.start, f"the {{ of {name} is never closed")
        end = close.end
        after = self._at
        while after < len(self._tokens) and self._tokens[after].kind == "comment":
            after += 1
        if after < len(self._tokens) and self._tokens[after].text == ";":
            end, self._at = self._tokens[after].end, after + 1
        return Node(
            *(name, inside, labels, head[0].start, opened.start, close.start, end, comment),
            *(properties, children, removals),
        )

    def _named(self, head: list[Token], opened: Token) -> tuple[tuple[str, ...], str]:
        """Labels and the name, of ``label: other: name``."""
        names = [token.text for token in head if token.text != ":"]
        if not names:
            raise self._wrong(opened.start, "a { without a name")
        if len(head) - len(names) != len(names) - 1:
            raise self._wrong(head[0].start, f"{' '.join(names)!r} is no name of a node")
        return tuple(names[:-1]), names[-1]

    def _statement(self, head: list[Token], end: Token, properties: list[Property], removals: list[Removal]) -> None:
        if not head:
            return
        if head[0].kind == "keyword":
            if head[0].text in ("/delete-node/", "/delete-property/") and len(head) == 2:
                removals.append(Removal(head[0].text, head[1].text, head[0].start, end.end))
            return
        equals = next((number for number, token in enumerate(head) if token.text == "="), len(head))
        names = [token.text for token in head[:equals] if token.text != ":"]
        if not names:
            raise self._wrong(head[0].start, "a value without a name")
        value_start = head[equals + 1].start if equals + 1 < len(head) else end.start
        value = self._text[value_start : end.start].strip()
        properties.append(Property(names[-1], value, head[0].start, end.end, value_start))

    def _wrong(self, place: int, what: str) -> ProbeError:
        line = line_of(self._text, place)
        return ProbeError(
            f"{self._name}, line {line}: {what}", hint="mend that line, or take the file from the BSP again"
        )
