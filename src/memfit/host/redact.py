"""A snapshot without what identifies people and machines: for a bug report.

Serial numbers, machine ids, host and user names, hardware and IP addresses, UUIDs, passwords and tokens are replaced:
the same by the same everywhere, and by something of the same form, so that all that reads the files still can. Figures
of memory, versions and names of software stay. A file that cannot be searched (packed, a database) is left out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from ipaddress import AddressValueError, IPv6Address

from memfit.host._dmi import without_serials
from memfit.host._identities import (
    AT,
    FORMS,
    HOME,
    HOME_MARKS,
    HOST_FILES,
    HOSTS_FILE,
    HOSTS_NAME,
    IPV4,
    LOGGED,
    OF_THIS_DEVICE,
    SERIAL,
    SOFTWARE,
    UNIT,
    VOLUME,
    Identities,
    find_identities,
    value_of,
)
from memfit.host._places import NAMES, replace_named
from memfit.host._rules import KERNEL_LOG
from memfit.host._secrets import WORD, without_secrets
from memfit.host.snapshot import Snapshot

# Figures alone: nothing to find, and much of it
_FIGURES = re.compile(
    r"/proc/(?:meminfo|vmstat|zoneinfo|buddyinfo|pagetypeinfo|slabinfo|vmallocinfo|iomem|kallsyms|modules|loadavg|stat"
    r"|uptime|\d+/(?:smaps_rollup|statm))$"
)
# gzip, xz, zstd, bzip2, SQLite, systemd's journal, a flattened device tree
_CLOSED = (b"\x1f\x8b", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"BZh", b"SQLite", b"LPKSHHRH", b"\xd0\x0d\xfe\xed")
# The same on every machine: names of EFI variables by whoever defined them (UEFI, its key database, NVIDIA, systemd)
_PUBLIC_UUIDS = frozenset(
    (
        "8be4df61-93ca-11d2-aa0d-00e098032b8c",
        "d719b2cb-3d3a-4596-a3bc-dad00e67656f",
        "781e084c-a330-417c-b678-38e696380cb9",
        "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f",
    )
)
_ADDRESS = re.compile(IPV4)
_VOLUME = re.compile(VOLUME)
_FORM = re.compile("|".join(f"(?P<{kind}>{form})" for kind, form in FORMS))
# What may have one of these forms: they are looked for only here, which takes a tenth of the time
_RUN = re.compile(r"[0-9A-Fa-f:][0-9A-Fa-f.:_-]{6,}|::[0-9A-Fa-f:]*|[0-9A-Fa-f:]+::")
# Names of registries, proxies, labels: of all that, an audit asks for one value
_DOCKER_SETTINGS, _RUNTIME = "/etc/docker/daemon.json", re.compile(r'"default-runtime"\s*:\s*"[\w.-]{0,64}"')
_DMI = "/sys/firmware/dmi/tables/DMI"
# What other programs logged is nobody's business, and says nothing of the kernel
_NOT_OF_THE_KERNEL = re.compile(rf"{LOGGED.pattern}[ \t]+(?!kernel\b)[^\n]*\n?", re.M)
# … nor what they wrote into its log: there a record's facility is not 0 (Documentation/ABI/testing/dev-kmsg)
_SENT_TO_THE_KERNEL = re.compile(r"^(?:[89]|[1-9]\d{1,3}),\d[^\n]*\n?(?:[ \t][^\n]*\n?)*", re.M)
_OF_SYSTEMD = re.compile(r"^\[ *\d+\.\d+\] (?:systemd(?:-\w+)*|sudo|dbus-daemon)\[\d+\]:[^\n]*\n?", re.M)


def redacted(taken: Snapshot) -> Snapshot:
    """The snapshot without what identifies people and machines; a pure function."""
    texts = {path: _text(content) for path, content in taken.files.items() if not content.startswith(_CLOSED)}
    listed = [f"{folder}/{name}" for folder, names in taken.folders.items() for name in names]
    paths = [_text(os.fsencode(path)) for path in (*listed, *taken.links, *taken.links.values(), *taken.disks)]
    known = find_identities(_text(os.fsencode(taken.name)), texts, paths)
    redactor = Redactor(known)
    closed = {path: "left out: it cannot be redacted" for path in taken.files if path not in texts}
    name = redactor.name
    return Snapshot(
        name=redactor.host(taken.name),
        taken=taken.taken,
        python=taken.python,
        uid=taken.uid,
        live=taken.live,
        patterns=taken.patterns,
        files={name(path): redactor.content(path, taken.files[path]) for path in sorted(texts)},
        folders=_folders(taken.folders, redactor),
        links={name(path): name(target) for path, target in sorted(taken.links.items())},
        refused={name(path): why for path, why in sorted({**taken.refused, **closed}.items())},
        cut=tuple(map(name, taken.cut)),
        disks={name(path): disk for path, disk in taken.disks.items()},
        peak_bytes=taken.peak_bytes,
    )


def _folders(folders: Mapping[str, tuple[str, ...]], redactor: Redactor) -> dict[str, tuple[str, ...]]:
    return {
        redactor.name(folder): tuple(redactor.name(f"{folder}/{name}").rpartition("/")[2] for name in sorted(names))
        for folder, names in sorted(folders.items())
    }


class Redactor:
    """Replaces the same by the same: placeholders are numbered as they are met."""

    def __init__(self, known: Identities) -> None:
        self._given: dict[tuple[str, str], int] = {}
        self._numbers: dict[str, int] = {}
        self._placeholders: set[str] = set()
        self._known = {
            **{name.lower(): "user" for name in known.users},
            **{name.lower(): "host" for name in known.hosts},
            **{name.lower(): "serial" for name in known.serials},
        }
        self._words = tuple(self._known)
        words = "|".join(map(re.escape, sorted(self._words, key=len, reverse=True)))
        self._named = re.compile(rf"(?<![A-Za-z0-9])(?:{words})(?![A-Za-z0-9])", re.I)

    def content(self, path: str, content: bytes) -> bytes:
        """A file's bytes, redacted."""
        if _FIGURES.match(path):
            return content
        if path == _DMI:
            return without_serials(content)
        text = _text(content)
        if OF_THIS_DEVICE.search(path):
            return self._value(text, "serial").encode("latin-1")
        if HOST_FILES.match(path):
            return self._value(text, "host").encode("latin-1")
        if path.startswith("/var/lib/dpkg/"):  # public texts: only what is known to be somebody's
            return self._names(text).encode("latin-1")
        if path == _DOCKER_SETTINGS:
            return f"{{{found[0] if (found := _RUNTIME.search(text)) else ''}}}\n".encode("latin-1")
        if path == HOSTS_FILE:
            text = HOSTS_NAME.sub(lambda found: self._new("host", found[0]), text)
        if path.startswith("/var/log/"):
            text = _NOT_OF_THE_KERNEL.sub("", text)
            text = _OF_SYSTEMD.sub("", text)
            text = LOGGED.sub(lambda found: found["before"] + self._new("host", found["value"]), text)
        if path == KERNEL_LOG:
            text = _SENT_TO_THE_KERNEL.sub("", text)
        text = without_secrets(text, command_line=path.startswith("/proc/") and path.endswith("/cmdline"))
        if SOFTWARE.match(path) is None:
            text = replace_named(path, text, self._new)
        text = SERIAL.sub(lambda found: found["before"] + self._new("serial", found["value"]), text)
        text = AT.sub(self._at, text) if "@" in text else text
        return self._forms(self._names(text), software=SOFTWARE.match(path) is not None).encode("latin-1")

    def name(self, path: str) -> str:
        """A path or the target of a link, redacted."""
        text = self._forms(self._names(_text(os.fsencode(path))), software=SOFTWARE.match(path) is not None)
        return os.fsdecode(text.encode("latin-1"))

    def host(self, name: str) -> str:
        """A machine's name."""
        return self._new("host", _text(os.fsencode(name)))

    def _value(self, text: str, kind: str) -> str:
        """A file that holds nothing but one value."""
        value = value_of(text)
        if not value:
            return text
        if not value.isprintable():  # an address as bytes
            return "\0" * len(text)
        new = self._forms(self._names(value))
        if new == value and re.search(r"[1-9A-Za-z]", value):
            new = self._new(kind, value)
        return text.replace(value, new, 1)

    def _names(self, text: str) -> str:
        """Without people in home folders, and without whoever is known, wherever they stand."""
        if any(mark in text for mark in HOME_MARKS):
            text = HOME.sub(self._home, text)
        lowered = text.lower()  # three times as fast as to search for all of them whatever their case
        if any(word in lowered for word in self._words):
            text = self._named.sub(lambda found: self._new(self._known[found[0].lower()], found[0]), text)
        return text

    def _forms(self, text: str, *, software: bool = False) -> str:
        """Without what is recognised by its form."""
        if "UUID=" in text:
            text = _VOLUME.sub(lambda found: self._new("volume", found[0]), text)
        pieces, done = [], 0
        for run in _RUN.finditer(text):
            if not _may_be(run[0]):
                continue
            for found in _FORM.finditer(text, max(done, run.start()), run.end() + 1):
                if not (software and found.lastgroup == "ipv4"):
                    pieces += [text[done : found.start()], self._form(found)]
                    done = found.end()
        pieces.append(text[done:])
        return "".join(pieces)

    def _home(self, found: re.Match[str]) -> str:
        return found["before"] + self._new("user", found["value"])

    def _at(self, found: re.Match[str]) -> str:
        if UNIT.search(found["host"]):
            return found[0]
        user = found["user"] if found["user"] in (WORD, "root", "git") else self._new("user", found["user"])
        host = found["host"] if _ADDRESS.fullmatch(found["host"]) else self._new("host", found["host"])
        return f"{user}@{host}"

    def _form(self, found: re.Match[str]) -> str:
        kind, value = str(found.lastgroup), found[0]
        if kind == "ipv6":
            return self._ipv6(value)
        return value if _is_public(kind, value) else self._new(kind, value)

    def _ipv6(self, value: str) -> str:
        try:
            address = IPv6Address(value)
        except AddressValueError:  # a time, or a bus address; what stands behind it may be one yet
            return _ADDRESS.sub(lambda found: self._new("ipv4", found[0]), value)
        return value if address.is_loopback or address.is_unspecified else self._new("ipv6", str(address))

    def _new(self, kind: str, value: str) -> str:
        """What stands for it: numbered as they come, and nobody's own."""
        if value in self._placeholders:
            return value  # two rules met the same name
        key = (kind, re.sub(r"[:_.-]", "", value).lower() if kind in ("mac", "uuid") else value.lower())
        if key not in self._given:
            number = self._numbers.get(kind, 0) + 1
            while _placeholder(kind, value, number).lower() in self._known:
                number += 1
            self._numbers[kind] = self._given[key] = number
        placeholder = _placeholder(kind, value, self._given[key])
        if kind in NAMES:
            self._placeholders.add(placeholder)
        return placeholder


def _placeholder(kind: str, value: str, number: int) -> str:
    """Of the same form as ``value``. Addresses are of the ranges for tests (RFC 2544) and documents (RFC 3849)."""
    if kind in NAMES:
        return f"{kind}-{number}"
    if kind == "ipv6":
        return f"2001:db8::{number:x}"
    if kind == "ipv4":
        mark = "-" if "-" in value else "."
        return mark.join(map(str, (198, 18 + (number >> 16 & 1), number >> 8 & 255, number & 255)))
    if kind == "uuid":
        return f"00000000-0000-4000-8000-{number:012d}"
    letters = re.findall(r"[0-9A-Za-z]", value)
    digits = iter(("02" if kind == "mac" else "00") + str(number).rjust(len(letters) - 2, "0")[-(len(letters) - 2) :])
    return re.sub(r"[0-9A-Za-z]", lambda _: next(digits), value)


def _may_be(run: str) -> bool:
    if "::" in run or run.count(".") >= 3 or run.count("-") >= 3 or run.count(":") >= 5 or run.count("_") >= 5:
        return True
    return len(run) >= 12  # without marks: a machine's id, or an address in an interface's name


def _is_public(kind: str, value: str) -> bool:
    if kind == "uuid":
        return value.lower() in _PUBLIC_UUIDS
    if kind == "mac":
        return set(re.sub(r"[:_-]", "", value).lower()) in ({"0"}, {"f"})
    return kind == "ipv4" and (value.startswith(("127.", "255.")) or value == "0.0.0.0")


def _text(content: bytes) -> str:
    """Every byte as one letter, so that nothing is lost on the way back."""
    return content.decode("latin-1")
