"""Files that a service takes variables from: what stands in them counts more than its unit's own (systemd.exec(5))."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

import msgspec

from memfit.errors import NeedsRoot, ProbeError
from memfit.host import Host
from memfit.knob._drop_ins import drop_ins
from memfit.knob._unit_commands import own_text, texts

_FILE = re.compile(r"^[ \t]*EnvironmentFile[ \t]*=(.*)$", re.MULTILINE)
_MOST_BYTES = 1 << 16


class EnvironmentFiles(msgspec.Struct, frozen=True, kw_only=True):
    """What they say of some variables, by unit.

    Attributes:
        setting: a file that sets one of them, and which.
        unread: what may set one and could not be read.
    """

    setting: dict[str, str] = {}
    unread: dict[str, str] = {}


def read_environment_files(host: Host, units: Iterable[str], names: Collection[str]) -> EnvironmentFiles:
    """Only where the files are at hand: they often hold secrets, so none is fetched."""
    setting, unread, found = {}, {}, drop_ins(host)
    line = re.compile(rf"^[ \t]*({'|'.join(map(re.escape, names))})[ \t]*=", re.MULTILINE)
    for unit in units:
        if own_text(host, unit) is None and host.door in ("ssh", "recorded"):
            unread[unit] = "its unit file, which may name one,"
        paths: list[str] = []
        for text in texts(host, unit, found):
            for value in _FILE.findall(text):
                paths = [*paths, value.strip().strip("\"'").removeprefix("-")] if value.strip() else []
        for path in (path for named in paths for path in (host.glob(named) if "*" in named else (named,))):
            try:
                matched = line.search(host.read_bytes(path, most=_MOST_BYTES).decode("utf-8", "replace"))
            except NeedsRoot:
                unread[unit] = path
                continue
            except ProbeError:
                if "%" in path or host.door in ("ssh", "recorded"):
                    unread[unit] = path
                continue
            if matched is not None:
                setting[unit] = f"{path} sets {matched[1]}, which counts more: change it there"
    return EnvironmentFiles(setting=setting, unread=unread)
