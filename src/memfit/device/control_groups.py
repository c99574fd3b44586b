"""Who started a process: the systemd unit, container or session that its control group names."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Kind = Literal["service", "session", "container", "other"]


class Owner(NamedTuple):
    """The innermost unit or container, and the path of the group that says so."""

    unit: str | None
    kind: Kind
    path: str = ""


_ID = r"([0-9a-f]{12})[0-9a-f]{52}"
# scopes of the container engines under systemd, and their folders under cgroupfs; ids are 64 hexadecimal digits
_CONTAINERS = (
    (re.compile(rf"/docker-{_ID}\.scope"), "docker"),
    (re.compile(rf"/docker/{_ID}"), "docker"),
    (re.compile(rf"/libpod-{_ID}(?:\.scope|/|$)"), "podman"),
    (re.compile(rf"/(?:cri-containerd[-:]|nerdctl-){_ID}"), "containerd"),
    (re.compile(rf"/crio-{_ID}"), "cri-o"),
    (re.compile(rf"/kubepods[^/]*/.*?/{_ID}"), "kubernetes"),
    (re.compile(rf"/(?:default|k8s\.io|moby)/{_ID}"), "containerd"),
)
_NAMED_CONTAINERS = (
    (re.compile(r"/lxc(?:\.payload[./]|/)([^/]+)"), "lxc"),
    (re.compile(r"/machine\.slice/(?:machine-|systemd-nspawn@)([^/]+?)\.(?:scope|service)"), "machine"),
)
_LONGEST = 1 << 14  # a dozen hierarchies with paths of a kilobyte
_UNIT = re.compile(r"([^/]+\.(?:service|scope|socket|mount))(?=/|$)")
_SYSTEMD_HIERARCHIES = ("name=systemd", "")
_OTHER_HIERARCHIES = ("memory", "pids", "cpu,cpuacct", "devices")


def find_owner(text: str) -> Owner:
    """The owner that ``/proc/PID/cgroup`` names, of version 1, 2 or both.

    Version 1 has a path for each hierarchy. The one that systemd keeps tells the unit; an engine that manages groups by
    itself (``/docker/<id>``) may show only in the others.
    """
    paths = _paths(text[:_LONGEST])
    asked = [paths[name] for name in (*_SYSTEMD_HIERARCHIES, *_OTHER_HIERARCHIES) if paths.get(name, "/") != "/"]
    for path in asked:
        if (container := _container(path)) is not None:
            return Owner(container, "container", path)
    for path in asked:
        units = _UNIT.findall(_unescape(path))
        if len(units) > 1 and units[-1] == "init.scope":  # a user's own systemd: its service says whose
            units.pop()
        if units:
            return Owner(units[-1], _kind(path, units[-1]), path)
    return Owner(None, "other", asked[0] if asked else "")


def _paths(text: str) -> dict[str, str]:
    found = {}
    for line in text.splitlines():
        number, first, rest = line.partition(":")
        names, second, path = rest.partition(":")
        if first and second and number.isdigit():
            found[names] = path.removesuffix(" (deleted)")
    return found


def _container(path: str) -> str | None:
    for pattern, engine in _CONTAINERS + _NAMED_CONTAINERS:
        match = pattern.search(path)
        if match is not None:
            return f"{engine} {match[1]}"
    return None


def _kind(path: str, unit: str) -> Kind:
    if path.startswith("/user.slice"):
        return "session"
    return "service" if unit.endswith((".service", ".socket", ".mount")) or unit == "init.scope" else "other"


def _unescape(path: str) -> str:
    r"""``\x2d`` is how systemd writes a dash inside a unit's name."""
    return re.sub(r"\\x([0-9a-f]{2})", lambda match: chr(int(match[1], 16)), path)
