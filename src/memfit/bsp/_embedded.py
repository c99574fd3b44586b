"""What a source pulls in besides its own text, looked at before a program opens it: includes and ``/incbin/``.

A device or a pipe has no end, and a file out of the tree is none that a patch can prove or undo.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from memfit.bsp._failures import unreadable
from memfit.bsp._origins import Origins
from memfit.bsp._tokens import Token, tokens
from memfit.errors import ProbeError
from memfit.units import MIB, format_bytes

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*(?:include|include_next|import)[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>)', re.M)
_INCBIN, _OWN_INCLUDE = "/incbin/", "/include/"
_MOST_BYTES, _MOST_TOGETHER_BYTES, _MOST_EMBEDDED_BYTES = MIB, 4 * MIB, 16 * MIB
_COPY = "copy it into the tree"
_NO_FILE = "take that line out, or put a file there"
_TOO_LARGE = "NVIDIA's have a tenth of that: take the files from the BSP again"
_KINDS = (
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISDIR, "a folder"),
)


def check_includes(root: Path, main: str, includes: tuple[str, ...]) -> None:
    """All that a source includes by its name, and what that includes, is files of a sensible size.

    What is not found is left for cpp to say: it may stand under a condition.

    Raises:
        ProbeError: something is a device, a pipe, or too large; with the file and line that name it.
    """
    todo, seen, together = [(main, main)], {main}, 0
    while todo:
        file, place = todo.pop()
        text = _text(root, file, place)
        together += len(text)
        if together > _MOST_TOGETHER_BYTES:
            most = f"{_MOST_TOGETHER_BYTES:,}"
            raise ProbeError(f"{main}: it has more than {most} bytes with all that it includes", hint=_TOO_LARGE)
        for match in _INCLUDE.finditer(text):
            folders = (str(Path(file).parent), *includes) if match[1] else includes
            name = match[1] or match[2]
            path = _found(root, folders, name)
            if path is None:
                continue
            line = f"{file}, line {text.count(chr(10), 0, match.start()) + 1}"
            _refuse_no_file(path, f"{line}: it includes {name}")
            inside = path.resolve()
            if inside.is_relative_to(root) and str(inside.relative_to(root)) not in seen:
                seen.add(str(inside.relative_to(root)))
                todo.append((str(inside.relative_to(root)), f"{line}: it includes {name}"))


def embedded(text: bytes, main: str, root: Path, includes: tuple[str, ...]) -> bytes:
    """A preprocessed text with every ``/incbin/`` by its whole path, so that dtc finds it wherever it is run.

    A relative path is looked for where the file that says it is, then as an include is, then from the top of the tree.

    Raises:
        ProbeError: it is not in the tree, or no file; with the file and line that name it.
    """
    if not any(word.encode() in text for word in (_INCBIN, _OWN_INCLUDE)):
        return text
    whole = text.decode("utf-8", "surrogateescape")
    origins = Origins(whole, main)
    every = [one for one in tokens(origins.text, f"{main} with all it includes") if one.kind != "space"]
    parts, last = [], 0
    for number, token in enumerate(every):
        if (_INCBIN not in token.text and _OWN_INCLUDE not in token.text) or token.text.startswith('"'):
            continue
        file, line = origins.of(token.start)
        place = f"{file}, line {line}"
        if token.text != _INCBIN:
            raise ProbeError(f"{place}: memfit does not follow {_OWN_INCLUDE}", hint='write #include "file"')
        name = _named(every[number + 1 : number + 3])
        if name is None:
            raise ProbeError(f"{place}: {_INCBIN} without a plain name", hint=f'write {_INCBIN}("file")')
        path = _embeddable(root, (str(Path(file).parent), *includes, "."), name.text[1:-1], place)
        escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
        parts += [whole[last : name.start], f'"{escaped}"']
        last = name.end
    return "".join([*parts, whole[last:]]).encode("utf-8", "surrogateescape")


def _named(tokens: list[Token]) -> Token | None:
    """The name of ``("name"``; none where it has escapes."""
    if len(tokens) < 2 or tokens[0].text != "(" or not tokens[1].text.startswith('"') or "\\" in tokens[1].text:
        return None
    return tokens[1]


def _embeddable(root: Path, folders: Iterable[str], name: str, place: str) -> Path:
    said = f"{place}: {_INCBIN} of {name}"
    try:
        path = _found(root, folders, name)
        if path is None:
            raise ProbeError(f"{said}, which is not in the tree", hint="put it beside the file that names it")
        _refuse_no_file(path, said)
        inside, size = path.resolve(), path.stat().st_size
    except OSError as error:
        raise unreadable(said, error) from error
    except ValueError as error:
        raise ProbeError(f"{said}: {error}", hint=_NO_FILE) from error
    if not inside.is_relative_to(root):
        raise ProbeError(f"{said}, which leads to {inside}, outside of the tree", hint=_COPY)
    if size > _MOST_EMBEDDED_BYTES:
        most = format_bytes(_MOST_EMBEDDED_BYTES)
        raise ProbeError(f"{said}, which has {format_bytes(size)}: more than {most}", hint=_NO_FILE)
    return inside


def _found(root: Path, folders: Iterable[str], name: str) -> Path | None:
    """The first that is there, whatever it is."""
    for folder in folders:
        path = root / folder / name
        with suppress(OSError):  # a name that no file can have, a folder that is closed: cpp says so
            if path.exists():
                return path
    return None


def _refuse_no_file(path: Path, said: str) -> None:
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        kind = next((kind for test, kind in _KINDS if test(mode)), "no file")
        raise ProbeError(f"{said}, which is {kind}", hint=_NO_FILE)


def _text(root: Path, file: str, said: str) -> str:
    try:
        size = (root / file).stat().st_size
        if size > _MOST_BYTES:
            told = f"{said}, which has" if said != file else f"{said} has"
            raise ProbeError(
                f"{told} {size:,} bytes: memfit reads sources of up to {_MOST_BYTES:,}",
                hint=_TOO_LARGE,
            )
        return (root / file).read_bytes().decode("utf-8", "surrogateescape")
    except OSError as error:
        raise unreadable(said, error) from error
