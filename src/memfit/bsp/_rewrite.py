"""The files of a tree that have to read otherwise, in one of two styles.

``override`` ends the board's own files with a block that deletes and sets nodes, and touches no file that other boards
include. ``edit`` changes the lines themselves, as the published notes do. Both compile to the same tree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from memfit.bsp import _wants, _write
from memfit.bsp._setters import setters, setters_of
from memfit.bsp._wants import Want
from memfit.bsp._write import Block, Replacement
from memfit.bsp.layout import Layout
from memfit.bsp.merged import Merged
from memfit.bsp.records import Style
from memfit.bsp.source import Node, Source, parse
from memfit.errors import ApplyError, ProbeError

_CARVEOUTS, _MB2 = "/misc/carveout", "/mb2-misc"


def rewritten(
    layout: Layout, mb1: Merged, mb2: Merged, wants: Sequence[Want], style: Style
) -> tuple[dict[str, bytes], Mapping[str, str]]:
    """New contents of files by path; and the file that was changed for a node, by the node's compiled path.

    Raises:
        ProbeError: a file cannot be read as a source.
        ApplyError: somebody else set one of these nodes in the board's own files.
    """
    todo = [want for want in wants if not want.done]
    zeros = [want for want in todo if want.kind == "zero"]
    others = [want for want in todo if want.kind != "zero"]
    sources = _Sources(layout)
    if zeros:
        _refuse_others(sources.get(mb1.main), mb1, zeros)
        _refuse_later(mb1, zeros)
    if others:
        foreign = [want for want in others if not _is_own(want)]
        _refuse_others(sources.get(mb2.main), mb2, foreign)
        _refuse_later(mb2, foreign)
        _refuse_other_clusters(sources, mb2, others)
    if style == "override":
        return _overrides(sources, mb1, mb2, zeros, others)
    return _edits(sources, mb1, mb2, zeros, others)


class _Sources:
    """Files of the tree, each read once; bytes that are no text go through unchanged."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._parsed: dict[str, Source] = {}

    def get(self, file: str) -> Source:
        if file not in self._parsed:
            self._parsed[file] = parse(self._layout.read(file).decode("utf-8", "surrogateescape"), file)
        return self._parsed[file]

    def content(self, text: str) -> bytes:
        return text.encode("utf-8", "surrogateescape")


def _overrides(
    sources: _Sources, mb1: Merged, mb2: Merged, zeros: Sequence[Want], others: Sequence[Want]
) -> tuple[dict[str, bytes], Mapping[str, str]]:
    contents: dict[str, bytes] = {}
    if zeros:
        source = sources.get(mb1.main)
        blocks = [_write.zero_block(want.name) for want in zeros]
        text = _write.override(source, _title(zeros), ("misc", "carveout"), blocks)
        contents[mb1.main] = sources.content(text)
    if others:
        source = sources.get(mb2.main)
        parts = [_overriding(want, mb2) for want in others]
        gone, written = [part for part, _ in parts if part], [block for _, block in parts if block]
        text = _write.override(source, _title(others), ("mb2-misc",), [*gone, *written])
        contents[mb2.main] = sources.content(text)
    return contents, {}


def _overriding(want: Want, mb2: Merged) -> tuple[str, Block | None]:
    """What deletes a node, and what writes it anew; one with nodes below it, or that others refer to, is kept."""
    removal = f"/delete-node/ {want.name};"
    wanted, node = want.recipe.cluster, mb2.root.at(want.path)
    if want.kind != "cluster" or wanted is None:
        return removal, None
    if node is None or (not node.children and node.own() == node.properties):
        return removal, _write.cluster_block(want.name, wanted)
    meant = dict(wanted.properties)
    return "", _write.cluster_block(want.name, wanted, [name for name in node.own() if name not in meant])


def _edits(
    sources: _Sources, mb1: Merged, mb2: Merged, zeros: Sequence[Want], others: Sequence[Want]
) -> tuple[dict[str, bytes], Mapping[str, str]]:
    contents: dict[str, bytes] = {}
    places: dict[str, str] = {}
    if zeros:
        source = sources.get(mb1.main)
        found = _write.inserted(source, _CARVEOUTS, [_write.zero_block(want.name) for want in zeros])
        if not found:
            raise ApplyError(f"{mb1.main}: it has no / node to write to", hint="--style override adds one")
        contents[mb1.main] = sources.content(_write.replaced(source.text, found))
    for file in mb2.files if others else ():
        source, changes = sources.get(file), []
        for want in others:
            for node in source.at(want.written):
                changes += _changed(source, node, want)
                places[want.path] = file
        if changes:
            contents[file] = sources.content(_write.replaced(source.text, changes))
    return contents, places


def _changed(source: Source, node: Node, want: Want) -> list[Replacement]:
    if want.kind == "cluster" and want.recipe.cluster is not None:
        return _write.set_cluster(source, node, want.recipe.cluster)
    return [_write.removed(source, node)]


def _refuse_others(source: Source, merged: Merged, wants: Sequence[Want]) -> None:
    """What the board's own file sets is somebody's wish: NVIDIA's own set none of these nodes there."""
    wanted = {want.path: want for want in wants}
    for node in source.nodes():
        want = wanted.get(_compiled(merged, node.path))
        if want is None or (want.kind == "zero" and _is_zero(node)):
            continue
        keep = want.recipe.need
        raise ApplyError(
            f"{source.name}, line {source.line(node.start)}: somebody set {node.name} here for this board",
            hint=f"take that out first, or leave it: --needs {keep}" if keep else "take that out first",
        )


def _refuse_later(merged: Merged, wants: Sequence[Want]) -> None:
    """What another file sets again, behind the one that made a node, is somebody's wish as well: a vendor's include."""
    every = setters(merged)
    for want in wants:
        found = setters_of(every, want.path)
        later = [one for one in found[1:] if one.file != found[0].file or one.file == merged.main]
        for one in later:
            if want.kind == "zero" and _is_zero(one.node):
                continue
            keep = want.recipe.need
            raise ApplyError(
                f"{one.place}: somebody set {want.name} here, behind {found[0].place}",
                hint=f"take that out first, or leave it: --needs {keep}" if keep else "take that out first",
            )


def _refuse_other_clusters(sources: _Sources, mb2: Merged, wants: Sequence[Want]) -> None:
    """The comment before a cluster's node names it; where it names another one, the numbers are others here."""
    for file in mb2.files:
        for want in wants:
            if want.kind != "cluster" or want.recipe.cluster is None:
                continue
            for node in _readable(sources, file, want.written):
                other = _wants.clashing_comment(want.recipe.cluster, node.comment)
                if other is not None:
                    raise ProbeError(
                        f"{file}, line {sources.get(file).line(node.start)}: {node.name} is the {other} cluster here, "
                        f"not {want.recipe.cluster.name}",
                        hint=_wants.other_layout(want.recipe),
                    )


def _readable(sources: _Sources, file: str, path: str) -> tuple[Node, ...]:
    try:
        return sources.get(file).at(path)
    except ProbeError:
        return ()  # a header: whoever writes to a file is told of it


def _is_own(want: Want) -> bool:
    return want.kind == "cluster" and want.recipe.cluster is not None and want.recipe.cluster.own


def _is_zero(node: Node) -> bool:
    sizes = [one.value for one in node.properties if one.name == "size"]
    return all(re.fullmatch(r"<\s*(?:(?:0x0+|0+)\s*)+>", value) for value in sizes)


def _compiled(merged: Merged, path: str) -> str:
    return "/".join(merged.expanded(name) for name in path.split("/"))


def _title(wants: Sequence[Want]) -> str:
    names = ", ".join(dict.fromkeys(want.recipe.name for want in wants))
    return f"memfit: memory of {names} given back; `memfit bsp undo` takes this out"
