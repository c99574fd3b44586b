"""Texts in, texts out: the same source with a few nodes changed, every other byte of it as it was."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from memfit.bsp.recipes import Cluster
from memfit.bsp.source import Node, Source

ZEROS = ("pref_base = <0x0 0x0>;", "size = <0x0 0x0>; // 0MB", "alignment = <0x0 0x0>; // 0MB")
"""The notes' three properties of a carveout that is given up."""
_TAB = "\t"


class Replacement(NamedTuple):
    """A part of a text that becomes another."""

    start: int
    end: int
    text: str


class Block(NamedTuple):
    """A node to write, with its lines and the comment before it."""

    name: str
    lines: tuple[str | Block, ...]
    comment: str = ""


def replaced(text: str, replacements: Iterable[Replacement]) -> str:
    """A text with parts replaced; they must not overlap."""
    parts, last = [], len(text)
    for one in sorted(replacements, reverse=True):
        if one.end > last:
            raise ValueError("two replacements of one place")
        parts += [text[one.end : last], one.text]
        last = one.start
    return "".join(reversed([*parts, text[:last]]))


def zero_block(name: str) -> Block:
    """A carveout of no size."""
    return Block(name, ZEROS)


def cluster_block(name: str, wanted: Cluster, without: Iterable[str] = ()) -> Block:
    """A cluster that is not brought up; ``without`` are properties to delete of a node that is kept."""
    gone = tuple(f"/delete-property/ {other};" for other in without)
    lines = tuple(f"{name} = <{_written(value)}>;" for name, value in wanted.properties)
    return Block(name, (*gone, *lines), f"/* Control fields for {wanted.name} cluster. */")


def override(source: Source, title: str, path: Sequence[str], lines: Sequence[str | Block]) -> str:
    """The text with one more ``/ { … };`` at its end, which overrides all that came before it."""
    inner: tuple[str | Block, ...] = tuple(lines)
    for name in reversed(path):
        inner = (Block(name, inner),)
    text = "\n".join(("", f"/* {title} */", *_lines(Block("/", inner), 0, _indent_of(source)), ""))
    begin = source.text if source.text.endswith("\n") or not source.text else source.text + source.newline
    return begin + text.replace("\n", source.newline)


def inserted(source: Source, path: str, blocks: Sequence[Block]) -> list[Replacement]:
    """New nodes at the end of a node of the source, which is made where the source has none.

    Without even ``/`` the list is empty: nothing can be inserted.
    """
    names = path.strip("/").split("/")
    for depth in range(len(names), -1, -1):
        found = source.at("/" + "/".join(names[:depth]))
        if found:
            inner: tuple[str | Block, ...] = tuple(blocks)
            for name in reversed(names[depth:]):
                inner = (Block(name, inner),)
            return [_at_end(source, found[-1], [one for one in inner if isinstance(one, Block)])]
    return []


def set_cluster(source: Source, node: Node, wanted: Cluster) -> list[Replacement]:
    """A node's properties become those of a cluster that is not brought up; its comments stay."""
    values = dict(wanted.properties)
    found: list[Replacement] = []
    for one in node.properties:
        if one.name in values:
            value = f"<{_written(values.pop(one.name))}>"
            found.append(Replacement(one.value_start, one.value_start + len(one.value), value))
        else:
            found.append(Replacement(*_whole_line(source.text, one.start, one.end), ""))
    if values:
        lines = tuple(f"{name} = <{_written(value)}>;" for name, value in values.items())
        found.append(_at_end(source, node, lines))
    return found


def removed(source: Source, node: Node) -> Replacement:
    """A node that goes, with its line; the comments before it stay."""
    return Replacement(*_whole_line(source.text, node.start, node.end), "")


def _written(value: int) -> str:
    return f"{value:#x}" if value > 9 else str(value)


def _whole_line(text: str, start: int, end: int) -> tuple[int, int]:
    """A place with its indentation and line end, where nothing else stands on its lines."""
    begin = text.rfind("\n", 0, start) + 1
    after = re.compile(r"[ \t]*(?:\r?\n|\Z)").match(text, end)
    return (begin, after.end()) if after and not text[begin:start].strip() else (start, end)


def _at_end(source: Source, node: Node, lines: Sequence[str | Block]) -> Replacement:
    """Lines before a node's closing brace, indented as its own are."""
    text, newline = source.text, source.newline
    outer = _indentation(text, node.start)
    unit = _indent_of(source)
    begun = [*(one.start for one in node.children), *(one.start for one in node.properties)]
    inner = _indentation(text, min(begun)) if begun else outer + unit
    if not inner.startswith(outer) or inner == outer:
        inner = outer + unit
    written = newline.join(_lines_of(lines, inner, unit)) + newline
    begin = text.rfind("\n", 0, node.close) + 1
    if text[begin : node.close].strip():  # all of it stands on one line
        return Replacement(node.close, node.close, newline + written + outer)
    apart = newline if any(isinstance(line, Block) for line in lines) and node.children else ""
    return Replacement(begin, begin, apart + written)


def _lines(block: Block, depth: int, unit: str, base: str = "") -> list[str]:
    indent = base + unit * depth
    comment = [indent + block.comment] if block.comment else []
    inner: list[str] = []
    for number, line in enumerate(block.lines):
        if isinstance(line, str):
            inner.append(indent + unit + line)
            continue
        if number:
            inner.append("")
        inner += _lines(line, depth + 1, unit, base)
    return [*comment, f"{indent}{block.name} {{", *inner, f"{indent}}};"]


def _lines_of(lines: Sequence[str | Block], base: str, unit: str) -> list[str]:
    found: list[str] = []
    for number, line in enumerate(lines):
        if isinstance(line, str):
            found.append(base + line)
        else:
            found += [*([""] if number else []), *_lines(line, 0, unit, base)]
    return found


def _indentation(text: str, place: int) -> str:
    begin = text.rfind("\n", 0, place) + 1
    before = text[begin:place]
    return before[: len(before) - len(before.lstrip(" \t"))]


def _indent_of(source: Source) -> str:
    """What one more level is indented by, as the source's own first node has it."""
    for root in source.roots:
        for child in root.children:
            inner = _indentation(source.text, child.start)
            if inner:
                return inner
    return _TAB
