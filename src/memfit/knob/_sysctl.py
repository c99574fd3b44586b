"""Values of the kernel that shall outlive a boot: written now, and kept in one file of sysctl and one of tmpfiles.

Several knobs share these two files, so what they set is gathered first (``combine.py``). A line that is there already
stays, unless one of the same value takes its place.

To write who gets huge pages makes the kernel raise ``min_free_kbytes``, and at a boot tmpfiles is read after sysctl:
where both are set, both stand in the file of tmpfiles, in that order; also where it is a file of somebody's that sets
the latter, which would be raised at every boot otherwise.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from memfit.errors import ProbeError
from memfit.host import Host
from memfit.knob.changes import Change, FileChange, ValueChange

SYSCTL = "/etc/sysctl.d/60-memfit.conf"
TMPFILES = "/etc/tmpfiles.d/60-memfit.conf"
_FOLDERS = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")
"""As systemd-sysctl reads them: files of all in the order of their names, those of one name only from the first."""
PATHS = (SYSCTL, TMPFILES, "/etc/sysctl.conf", *(f"{folder}/*.conf" for folder in _FOLDERS))
"""Everything that is read here."""
_PROC = "/proc/sys/"
_HUGE_PAGES, _MIN_FREE = "/sys/kernel/mm/transparent_hugepage/enabled", "/proc/sys/vm/min_free_kbytes"
_MIN_FREE_LINE = re.compile(r"^[ \t]*-?[ \t]*vm[./]min_free_kbytes[ \t]*=[ \t]*(\d+)[ \t]*$", re.MULTILINE)
_HEAD = "# memfit wrote this file; memfit undo takes it back\n"
_WHY = "values of the kernel, again after every boot"


def sysctl_changes(host: Host, settings: Mapping[str, str]) -> tuple[Change, ...]:
    """One change for each of the two files that is needed, and the values now.

    Args:
        host: whose files they are; what stands there from before is kept.
        settings: texts by path below ``/proc/sys`` (sysctl) or ``/sys`` (tmpfiles).
    """
    if not settings:
        return ()
    sysctl, tmpfiles = (_lines(_text(host, path)) for path in (SYSCTL, TMPFILES))
    before = {SYSCTL: dict(sysctl), TMPFILES: dict(tmpfiles)}
    of_sysctl = {name_of(path): text for path, text in settings.items() if path.startswith(_PROC)}
    others = {path: text for path, text in settings.items() if not path.startswith(_PROC)}
    sysctl.update({name: f"{name} = {text}" for name, text in of_sysctl.items()})
    tmpfiles.update({path: f"w {path} - - - - {text}" for path, text in others.items()})
    late = name_of(_MIN_FREE)
    if late in sysctl and _HUGE_PAGES in tmpfiles:
        tmpfiles[_MIN_FREE] = f"w {_MIN_FREE} - - - - {sysctl.pop(late).partition('=')[2].strip()}"
    elif _HUGE_PAGES in tmpfiles and _MIN_FREE not in tmpfiles:
        theirs = min_free_at_boot(host)
        if theirs is not None:
            tmpfiles[_MIN_FREE] = f"w {_MIN_FREE} - - - - {theirs[1]}"
    changes: list[Change] = [
        _file(host, path, lines)
        for path, lines in ((SYSCTL, sysctl), (TMPFILES, tmpfiles))
        if lines != before[path] or lines.keys() & {*of_sysctl, *others}
    ]
    # those of /sys first: to switch huge pages makes the kernel raise min_free_kbytes (mm/khugepaged.c)
    values = sorted(settings.items(), key=lambda item: (item[0].startswith(_PROC), item[0]))
    return (*changes, *(ValueChange(path=path, text=text, why="now") for path, text in values))


def name_of(path: str) -> str:
    """``/proc/sys/vm/swappiness`` as ``vm.swappiness``."""
    return path.removeprefix(_PROC).replace("/", ".")


def set_by_somebody(host: Host, path: str) -> str | None:
    """The file of the administrator that sets a value of ``/proc/sys``; None where nobody does."""
    name = name_of(path)
    line = re.compile(rf"^\s*-?\s*{re.escape(name).replace(re.escape('.'), '[./]')}\s*=", re.M)
    for file in (*host.glob("/etc/sysctl.d/*.conf"), "/etc/sysctl.conf"):
        if file != SYSCTL and line.search(_text(host, file) or ""):
            return file
    return None


def min_free_at_boot(host: Host) -> tuple[str, str] | None:
    """The file that has the last word on ``min_free_kbytes`` at a boot, and what it says; None where none does.

    Not memfit's own; and not one that says something else than a number.
    """
    files: dict[str, str] = {}
    for folder in _FOLDERS:
        for path in host.glob(f"{folder}/*.conf"):
            files.setdefault(path.rpartition("/")[2], path)
    # /etc/sysctl.conf counts where 99-sysctl.conf is a link to it, as on Debian and Ubuntu
    found = None
    for name in sorted(files):
        for text in _MIN_FREE_LINE.findall(_text(host, files[name]) or "") if files[name] != SYSCTL else ():
            found = (files[name], text)
    return found


def _file(host: Host, path: str, lines: Mapping[str, str]) -> FileChange:
    before = _text(host, path)
    # those of /sys first, as above
    body = "".join(f"{lines[key]}\n" for key in sorted(lines, key=lambda key: (key.startswith(_PROC), key)))
    return FileChange(
        path=path,
        content=(_HEAD + body).encode("utf-8", "surrogateescape"),
        expects=None if before is None else hashlib.sha256(before.encode("utf-8", "surrogateescape")).hexdigest(),
        why=_WHY,
    )


def _lines(text: str | None) -> dict[str, str]:
    """Lines that stand in a file already, by what they set."""
    found = (text or "").splitlines()
    return {_key(line): line for line in found if line.strip() and not line.startswith("#")}


def _key(line: str) -> str:
    """What a line sets."""
    words = line.split()
    return words[1] if words[0] == "w" and len(words) > 1 else line.partition("=")[0].strip()


def _text(host: Host, path: str) -> str | None:
    try:
        return host.read_bytes(path).decode("utf-8", "surrogateescape")
    except ProbeError:
        return None
