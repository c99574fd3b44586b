"""A boot configuration as the flash tools see it: everything that a file includes, preprocessed and compiled.

Nothing is believed of the files themselves: names of carveouts are macros whose numbers shift between releases, and a
later file overrides an earlier one. So what counts is the compiled tree, before and after a change.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from memfit.bsp._embedded import check_includes, embedded
from memfit.bsp._origins import Origins
from memfit.bsp._tools import compile_source, preprocess
from memfit.bsp.fdt import Blob, read_blob
from memfit.errors import ProbeError

_FROM = re.compile(rb'^# \d+ "([^"<>]+)"', re.M)
_MACRO = re.compile(rb"^#define (\w+) (\S+)[ \t\r]*$", re.M)
_DEFINED = re.compile(rb"^#(?:define|undef) [^\n]*$", re.M)
_MOST_FOLLOWED = 16


class Merged(NamedTuple):
    """A compiled source.

    Attributes:
        main: the file it began with. files: every file that it is made of, from the top of the tree.
        root: the tree. macros: names and what they stand for, as written.
        text: preprocessed, with lines that say where each part comes from.
    """

    main: str
    files: tuple[str, ...]
    root: Blob
    macros: Mapping[str, str]
    text: bytes = b""

    def value(self, word: str) -> str:
        """A macro followed to its end; a word that is none is itself."""
        for _ in range(_MOST_FOLLOWED):
            if word not in self.macros:
                break
            word = self.macros[word]
        return word

    def expanded(self, name: str) -> str:
        """``aux_info@44`` for ``aux_info@CARVEOUT_VPR``: the name as it is once compiled."""
        base, at, unit = name.partition("@")
        return f"{base}{at}{self.value(unit)}"


def merge(root: Path, main: str, includes: tuple[str, ...]) -> Merged:
    """Compile a file of a tree.

    Args:
        root: the tree's top.
        main: the file, from there.
        includes: folders that are searched, from there.

    Raises:
        ProbeError: an include is missing, something is not installed, or the source does not compile.
    """
    check_includes(root, main, includes)
    return _merge(root, main, includes, root)


def merge_again(before: Merged, root: Path, includes: tuple[str, ...], changed: Mapping[str, bytes]) -> Merged:
    """The same with other contents of some files; nothing is written to the tree.

    Raises:
        ProbeError: the source does not compile any more.
    """
    if not set(changed) & set(before.files):
        return before
    with tempfile.TemporaryDirectory(prefix="memfit-") as folder:
        mirror = Path(folder)
        for include in includes:
            (mirror / include).mkdir(parents=True, exist_ok=True)
        for file in before.files:
            place = mirror / file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(changed[file] if file in changed else (root / file).read_bytes())
        return _merge(mirror, before.main, includes, root)


def _merge(root: Path, main: str, includes: tuple[str, ...], tree: Path) -> Merged:
    """``tree`` is where the files are that are compiled in as they are, if not ``root``."""
    said = preprocess(main, root, includes)
    macros = {name.decode(): value.decode("utf-8", "replace") for name, value in _MACRO.findall(said)}
    text = _DEFINED.sub(b"", said)
    files = _files(text, main, root)
    compiled = compile_source(embedded(text, main, tree, includes), main, root)
    return Merged(main, tuple(files), read_blob(compiled, main), macros, text)


def _files(text: bytes, main: str, root: Path) -> list[str]:
    """All that a preprocessed text is made of, each once.

    Raises:
        ProbeError: one of them is not in the tree, where undo reaches; with the line that names it.
    """
    files: list[str] = []
    for found in _FROM.finditer(text):
        file = os.path.normpath(found[1].decode("utf-8", "surrogateescape"))
        if file in files:
            continue
        what, hint = f"it includes {file}", "copy it into the tree"
        if file.startswith(("..", "/")):
            what += ", which is outside of the tree"
        elif not (root / file).is_file():  # a line that cpp was told to write (#line) may name anything
            what, hint = f"it says that it comes from {file}, which is no file", "take the #line out"
        elif not (root / file).resolve().is_relative_to(root.resolve()):
            what += ", a link out of the tree"
        else:
            files.append(file)
            continue
        whole = text.decode("utf-8", "surrogateescape")
        by, line = Origins(whole, main).of(len(text[: found.start()].decode("utf-8", "surrogateescape")))
        raise ProbeError(f"{by}, line {line}: {what}", hint=hint)
    return files


def differences(before: Blob, after: Blob) -> tuple[str, ...]:
    """Paths of nodes that are in one tree only, or whose own properties differ; below those that are gone, none."""
    one, other = ({node.name: node for node in side.children} for side in (before, after))
    found = [before.path] if before.properties != after.properties else []
    for name in (*one, *(name for name in other if name not in one)):
        if name in one and name in other:
            found += differences(one[name], other[name])
        else:
            found.append((one.get(name) or other[name]).path)
    return tuple(found)
