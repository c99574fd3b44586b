"""``extlinux.conf`` as the boot loader reads it; whatever is not changed stays as it is, byte for byte.

``l4t`` is L4TLauncher of JetPack 5 to 7 (edk2-nvidia, ``L4TLauncher.c``: ``CleanExtLinuxLine``, ``CheckCommandString``,
``ProcessExtLinuxConfig``): a line ends at any ``#``; it begins with a keyword in capitals, and whatever follows is the
value, with a space between or not; at most ten labels, an eleventh is none; of several DEFAULT the last counts, of
several labels of a name the first, and where DEFAULT names none the first label is booted. Paths begin at the top of
the partition; OVERLAYS are applied only to a tree that FDT names.

``u-boot`` is the reader of U-Boot (``boot/pxe_utils.c``): keywords in any case, and a ``#`` only where a line begins.
"""

from __future__ import annotations

import re
from typing import Literal, NoReturn

import msgspec

from memfit.errors import ApplyError

PATH = "/boot/extlinux/extlinux.conf"
MOST_LABELS = 10
"""``MAX_EXTLINUX_OPTIONS`` of L4TLauncher.h."""
OURS = "memfit-"
"""What the name of memfit's own label begins with; the name of the label that it was copied from follows."""

Loader = Literal["l4t", "u-boot"]

_KEYWORDS = ("TIMEOUT", "DEFAULT", "MENU TITLE", "LABEL", "MENU LABEL", "LINUX", "INITRD", "FDT", "OVERLAYS", "APPEND")
_OF_THE_FILE = ("TIMEOUT", "DEFAULT", "MENU TITLE", "MENU DEFAULT", "PROMPT")  # no copy of a label repeats them
_SPACE = b" \t\r"
_WORD = re.compile(rb"(?:MENU[ \t]+)?[^ \t]+", re.IGNORECASE)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line.

    Attributes:
        number: from 1 on.
        raw: all of it, its end as well.
        says: what the loader sees of it; empty for a comment.
        keyword: in capitals; empty where the loader knows none in it.
        value: what follows the keyword. start: where in ``raw`` that stands, or would.
    """

    number: int
    raw: bytes
    says: str = ""
    keyword: str = ""
    value: str = ""
    start: int = 0

    @property
    def end(self) -> bytes:
        r"""``\n``, ``\r\n``, or nothing at the end of the file."""
        return self.raw[len(self.raw.rstrip(b"\r\n")) :]


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """Something to boot: all lines up to the next label."""

    name: str
    lines: tuple[Line, ...]

    def line(self, keyword: str) -> Line | None:
        """The line that counts: the last one with this keyword."""
        return next((line for line in reversed(self.lines) if line.keyword == keyword), None)

    def value(self, keyword: str) -> str:
        """What stands behind a keyword; empty where it is not there."""
        line = self.line(keyword)
        return "" if line is None else line.value

    @property
    def is_ours(self) -> bool:
        """Whether memfit added it."""
        return self.name.startswith(OURS)


class Extlinux(msgspec.Struct, frozen=True, kw_only=True):
    """A whole file, as ``loader`` reads it."""

    lines: tuple[Line, ...]
    labels: tuple[Label, ...]
    loader: Loader = "l4t"
    where: str = PATH

    @property
    def content(self) -> bytes:
        """The file's bytes."""
        return b"".join(line.raw for line in self.lines)

    @property
    def default_line(self) -> Line | None:
        """The DEFAULT that counts: the last one."""
        return next((line for line in reversed(self.lines) if line.keyword == "DEFAULT"), None)

    def label(self, name: str) -> Label | None:
        """The first label of a name."""
        return next((label for label in self.labels if label.name == name), None)


def parse(content: bytes, *, loader: Loader = "l4t", where: str = PATH) -> Extlinux:
    """Every line, and the labels that the loader sees, whatever the content is."""
    lines: list[Line] = []
    starts: list[int] = []
    for number, raw in enumerate(re.findall(rb"[^\n]*\n|[^\n]+", content), 1):
        line = _line(number, raw, loader)
        if line.keyword == "LABEL":
            if loader == "l4t" and len(starts) == MOST_LABELS:
                line = msgspec.structs.replace(line, keyword="")  # what follows it goes to the tenth
            else:
                starts.append(len(lines))
        lines.append(line)
    ends = [*starts[1:], len(lines)]
    labels = tuple(
        Label(name=lines[start].value, lines=tuple(lines[start:end])) for start, end in zip(starts, ends, strict=False)
    )
    return Extlinux(lines=tuple(lines), labels=labels, loader=loader, where=where)


def check(content: bytes | None, *, loader: Loader = "l4t", where: str = PATH) -> Extlinux:
    """A file that a label can be added to.

    Raises:
        ApplyError: it is not there, or the loader sees something else in it than who wrote it meant.
    """
    if content is None:
        raise ApplyError(
            f"{where}: there is no such file", hint="this machine boots without it: nothing to change here"
        )
    file = parse(content, loader=loader, where=where)
    for line in file.lines if loader == "l4t" else ():
        word = line.says.split(maxsplit=1)[0] if line.says and not line.keyword else ""
        if word.upper() in _KEYWORDS and word.upper() != word:
            _refuse(
                file, line, f"{word!r} is in small letters, which L4TLauncher does not read", "write it in capitals"
            )
    if not file.labels:
        what = "it is empty" if not content.strip() else "it has no LABEL"
        _refuse(file, None, what, "put a label back into it first: this machine boots its kernel partition")
    label = default_label(file)
    if not label.name:
        _refuse(file, label.lines[0], "it has no name that DEFAULT could go back to", "give it one")
    _check_append(file, label)
    return file


def default_label(file: Extlinux) -> Label:
    """What is booted where nobody chooses.

    Raises:
        ApplyError: DEFAULT names no label.
    """
    line = file.default_line
    if line is None:
        chosen = (label for label in file.labels if file.loader == "u-boot" and label.line("MENU DEFAULT"))
        return next(chosen, file.labels[0])
    label = file.label(line.value)
    if label is None:
        names = ", ".join(label.name for label in file.labels)
        _refuse(file, line, f"DEFAULT names {line.value!r}, and no label is called that", f"name one of {names}")
    return label


def original_label(file: Extlinux) -> Label:
    """What to fall back to: the default, or what memfit's own label was copied from.

    Raises:
        ApplyError: that is not there any more.
    """
    label = default_label(file)
    if not label.is_ours:
        return label
    name = label.name[len(OURS) :]
    found = file.label(name)
    if found is None:
        _refuse(file, label.lines[0], f"{name!r}, from which it was copied, is gone", "name another label in DEFAULT")
    return found


def warnings(file: Extlinux, label: Label) -> tuple[str, ...]:
    """What the loader will not do although it stands there."""
    found = []
    if label.value("OVERLAYS") and not label.value("FDT"):
        found.append(f"{label.name}: OVERLAYS count only with FDT")
    for keyword in ("LINUX", "INITRD", "FDT"):
        if (value := label.value(keyword)) and not value.startswith("/"):
            found.append(f"{label.name}: {keyword} {value} is no absolute path")
    return tuple(f"{file.where}: {one}" for one in found)


def with_label(
    content: bytes,
    source_label: str,
    new_label: str,
    append: str,
    *,
    what: str = "",
    loader: Loader = "l4t",
    where: str = PATH,
) -> bytes:
    """A copy of a label with another APPEND, behind the last one, and made the default; all else stays as it is.

    An earlier label of memfit's own is replaced where it stands.

    Raises:
        ApplyError: there is no such label, no room for another, or something in it that would not be read as it is.
    """
    file = check(content, loader=loader, where=where)
    source = file.label(source_label)
    if source is None:
        raise ApplyError(f"{where}: no label is called {source_label!r}", hint="was it renamed? ask again")
    _check_append(file, source)
    for text in (append, new_label, what):
        if re.search("[\n\r\0#]" if loader == "l4t" else "[\n\r\0]", text):
            raise ApplyError(f"{where}: {text!r} cannot stand in a line of it", hint="leave out '#' and line ends")
    copied = _copy(source, new_label, append, f"memfit: {what or source_label}")
    return with_default(_placed(file, new_label, copied), new_label, loader=loader, where=where)


def with_default(content: bytes, label: str, *, loader: Loader = "l4t", where: str = PATH) -> bytes:
    """Another DEFAULT, and no other byte changed; a line of its own before the first label where there was none.

    Raises:
        ApplyError: no label is called that.
    """
    file = parse(content, loader=loader, where=where)
    if file.label(label) is None:
        raise ApplyError(f"{where}: no label is called {label!r}", hint="was it renamed? ask again")
    line = file.default_line
    if line is not None:
        old = _bytes(line.value)
        changed = line.raw[: line.start] + (b"" if old else b" ") + _bytes(label) + line.raw[line.start + len(old) :]
        return b"".join(changed if one is line else one.raw for one in file.lines)
    first = file.labels[0].lines[0]
    new = b"DEFAULT " + _bytes(label) + (first.end or b"\n")
    return b"".join(new + one.raw if one is first else one.raw for one in file.lines)


def without_default(content: bytes, *, loader: Loader = "l4t", where: str = PATH) -> bytes:
    """The file without its DEFAULT lines."""
    file = parse(content, loader=loader, where=where)
    return b"".join(line.raw for line in file.lines if line.keyword != "DEFAULT")


def _line(number: int, raw: bytes, loader: Loader) -> Line:
    body = raw.rstrip(b"\r\n")
    if loader == "l4t":
        body = re.split(rb"[#\0]", body, maxsplit=1)[0]
    said = body.strip(_SPACE)
    if not said or said.startswith(b"#"):
        return Line(number=number, raw=raw)
    if loader == "l4t":
        keyword = next((known for known in _KEYWORDS if said.startswith(known.encode())), "")
        length = len(keyword)
    else:
        word = _WORD.match(said)
        length = word.end() if word is not None else 0
        keyword = _text(said[:length].upper().replace(b"\t", b" "))
        keyword = " ".join(keyword.split())
    rest = said[length:]
    value = rest.strip(_SPACE)
    before = len(body) - len(body.lstrip(_SPACE)) + length
    start = before + len(rest) - len(rest.lstrip(_SPACE))
    return Line(number=number, raw=raw, says=_text(said), keyword=keyword, value=_text(value), start=start)


def _check_append(file: Extlinux, label: Label) -> None:
    line = label.line("APPEND")
    if line is not None and file.loader == "l4t" and b"#" in line.raw:
        _refuse(file, line, "L4TLauncher cuts APPEND at the '#'", "take it out, or put the remark on a line of its own")


def _placed(file: Extlinux, name: str, copied: bytes) -> bytes:
    """The file with the new label: in place of memfit's earlier ones, else at its end."""
    ours = [label for label in file.labels if label.is_ours or label.name == name]
    if ours:
        first = ours[0].lines[0]
        gone = {line.number for label in ours for line in _own(label)}
        return b"".join(
            copied if line is first else line.raw for line in file.lines if line is first or line.number not in gone
        )
    if file.loader == "l4t" and len(file.labels) >= MOST_LABELS:
        line = file.labels[-1].lines[0]
        _refuse(file, line, f"it has {MOST_LABELS} labels already, and L4TLauncher reads no more", "remove one of them")
    end = file.labels[0].lines[0].end or b"\n"
    return file.content + (end if file.lines[-1].end else end * 2) + copied


def _own(label: Label) -> tuple[Line, ...]:
    """Lines of a label up to the last that says something: a remark behind it is somebody else's."""
    end = max((index for index, line in enumerate(label.lines) if line.says), default=0)
    return label.lines[: end + 1]


def _copy(source: Label, name: str, append: str, menu: str) -> bytes:
    values = {"LABEL": name, "MENU LABEL": menu, "APPEND": append}
    end = source.lines[0].end or b"\n"
    said = [line for line in source.lines if line.says and line.keyword not in _OF_THE_FILE]
    inner = said[1].raw if len(said) > 1 else b"      "
    indent = inner[: len(inner) - len(inner.lstrip(b" \t"))]
    written = []
    for line in said:
        if line.keyword in values:
            if line.keyword != "LABEL" and line is not source.line(line.keyword):
                continue  # the last one counts
            text = line.raw[: line.start].rstrip(_SPACE) + b" " + _bytes(values[line.keyword])
        else:
            text = line.raw.rstrip(b"\r\n")
        written.append(text)
        if line is said[0] and source.line("MENU LABEL") is None:
            written.append(indent + b"MENU LABEL " + _bytes(menu))
    if source.line("APPEND") is None:
        written.append(indent + b"APPEND " + _bytes(append))
    return b"".join(text + end for text in written)


def _refuse(file: Extlinux, line: Line | None, message: str, hint: str) -> NoReturn:
    at = "" if line is None else f", line {line.number}"
    raise ApplyError(f"{file.where}{at}: {message}", hint=hint)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
