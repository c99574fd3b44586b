"""A device tree blob, read: nodes with their properties, in the order of the blob.

Format: Devicetree Specification 0.4, chapter 5. Others wrote these files: every place is checked before it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from memfit.errors import ProbeError

_MAGIC = 0xD00DFEED
_BEGIN, _END, _PROPERTY, _NOTHING = 1, 2, 3, 4
_HEADER_BYTES = 40
_DEEPEST = 64
_ADDED = ("phandle", "linux,phandle")


class Blob(NamedTuple):
    """A node of a blob: ``path`` is ``/`` at the top, ``/a/b`` below."""

    path: str
    properties: dict[str, bytes]
    children: tuple[Blob, ...]

    @property
    def name(self) -> str:
        """The last name of its path."""
        return self.path.rpartition("/")[2]

    def walk(self) -> Iterator[Blob]:
        """It and everything below it."""
        yield self
        for child in self.children:
            yield from child.walk()

    def at(self, path: str) -> Blob | None:
        """The node of this path."""
        return next((node for node in self.walk() if node.path == path), None)

    def own(self) -> dict[str, bytes]:
        """Its properties without those that dtc adds."""
        return {name: value for name, value in self.properties.items() if name not in _ADDED}

    def compatible(self) -> tuple[str, ...]:
        """What it says it is, the most particular first."""
        return strings(self.properties.get("compatible", b""))


def read_blob(content: bytes, name: str) -> Blob:
    """The tree of a blob; ``name`` is the file's, for messages.

    Raises:
        ProbeError: it is none, or it is damaged.
    """
    return _Reader(content, name).root()


def strings(value: bytes) -> tuple[str, ...]:
    """A property's texts."""
    return tuple(part.decode("utf-8", "replace") for part in value.split(b"\0") if part)


def number(value: bytes | None) -> int | None:
    """One or two cells as a number; None where it is something else."""
    return int.from_bytes(value, "big") if value is not None and len(value) in (4, 8) else None


class _Reader:
    def __init__(self, content: bytes, name: str) -> None:
        self._content, self._name = content, name
        if len(content) < _HEADER_BYTES or self._cell(0) != _MAGIC:
            raise ProbeError(f"{name}: it is no device tree blob", hint="take it from the BSP again")
        self._at, self._strings = self._cell(8), self._cell(12)

    def root(self) -> Blob:
        self._skip()
        return self._node("", 0)

    def _node(self, above: str, depth: int) -> Blob:
        if self._take() != _BEGIN or depth > _DEEPEST:
            raise self._damaged()
        name = self._text(self._at)
        self._at += len(name.encode("utf-8", "surrogateescape")) + 1
        self._at += -self._at % 4
        path = f"{above.rstrip('/')}/{name}" if above else "/"
        properties: dict[str, bytes] = {}
        children: list[Blob] = []
        while True:
            self._skip()
            token = self._take()
            if token == _END:
                return Blob(path, properties, tuple(children))
            if token == _PROPERTY:
                size, where = self._take(), self._take()
                if self._at + size > len(self._content):
                    raise self._damaged()
                properties[self._text(self._strings + where)] = self._content[self._at : self._at + size]
                self._at += size + (-size % 4)
            elif token == _BEGIN:
                self._at -= 4
                children.append(self._node(path, depth + 1))
            else:
                raise self._damaged()

    def _skip(self) -> None:
        while self._cell(self._at) == _NOTHING:
            self._at += 4

    def _take(self) -> int:
        self._at += 4
        return self._cell(self._at - 4)

    def _cell(self, at: int) -> int:
        if not 0 <= at <= len(self._content) - 4:
            raise self._damaged()
        return int.from_bytes(self._content[at : at + 4], "big")

    def _text(self, at: int) -> str:
        end = self._content.find(b"\0", at)
        if end < 0 or at < 0:
            raise self._damaged()
        return self._content[at:end].decode("utf-8", "surrogateescape")

    def _damaged(self) -> ProbeError:
        what = "a device tree blob that is damaged or cut off"
        return ProbeError(f"{self._name}: {what}", hint="take it from the BSP again")
