"""Places where nothing but somebody's name can stand: a server in an address, whoever logged in, a network's name.

What stands there is replaced there. It is looked for everywhere else too where it can be no common word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from memfit.host._words import WORDS_OF_ALL

NAMES = ("host", "user", "network")

_NAME = r"(?P<value>[A-Za-z][\w-]*(?:\.[\w-]+)*)(?![\w@-]|\.\w)"
_USER = r"(?P<value>[A-Za-z_][\w.-]*)"
# Of a network of one's own (RFC 6762, RFC 8375, ICANN's .internal, and what routers hand out)
_OWN = r"(?:local|lan|internal|home|corp|intranet|localdomain|home\.arpa)"
_ARGUMENT = r"(?:=|\0|[ \t]+)"
# Programs whose arguments are machines, and options of theirs that take a value
_CALLERS = re.compile(r"(?:[^\0]*/)?(?:ssh|autossh|scp|sftp|sshfs|mosh|mosh-client|rsync|telnet|nc|ncat|ping)\0")
_TAKES_VALUE = re.compile(r"-[A-Za-z0-9]*[bcDeEFiIJlLmMoOpQRSwW]")
_CALLED = re.compile(r"[A-Za-z][\w-]*(?:\.[\w-]+)*(?=$|:)")
_CONTAINERS = re.compile(r"(?:[^\0]*/)?(?:docker|podman|nerdctl|lxc-start)\0")

_EVERYWHERE = (
    ("host", rf"(?P<before>://){_NAME}"),
    ("host", rf"(?P<before>(?<![\w.-]))(?P<value>[A-Za-z][\w-]*(?:\.[\w-]+)*\.{_OWN})(?![\w.-])"),
    # what the kernel and systemd are told, and what they say of it
    ("host", rf"(?P<before>(?<![\w-])(?:systemd\.)?hostname=){_NAME}"),
    ("host", rf"(?P<before>(?<![\w-])ip=(?:[^:\s]{{0,64}}:){{4}}){_NAME}"),
    ("host", rf"(?P<before>[Hh]ostname (?:set )?to <?){_NAME}"),
    ("host", rf"(?P<before>(?:nfs|NFS): server ){_NAME}"),
)
_MOUNTS = (
    ("host", r"(?P<before>(?:^|[ \t])//)(?P<value>[A-Za-z][\w.-]*)(?=/)"),
    ("host", r"(?P<before>(?:^|[ \t]))(?P<value>[A-Za-z][\w.-]*)(?=:/)"),
    ("user", r"(?P<before>[ ,](?:user|username|domain)=)(?P<value>[^,\s]+)"),
)
_GROUPS = (
    ("host", r"(?P<before>/lxc(?:\.payload\.|\.monitor\.|/))(?P<value>[^/\s]+)"),
    ("host", r"(?P<before>systemd-nspawn@)(?P<value>[^/\s]+)(?=\.service)"),
    ("host", r"(?P<before>/machine-)(?P<value>[^/\s]+)(?=\.scope)"),
)
_LOGINS = re.compile(rf"(?P<before>^sshd(?:-session)?: ){_USER}(?= \[|@)")
_COMMANDS = (
    (
        "host",
        rf"(?P<before>(?<![\w-])--?(?:[a-z]+[-_])*(?:server|addr|address|peer|broker|node){_ARGUMENT})"
        rf"{_NAME}(?=$|[\s\0,/]|:\d)",
    ),
    ("host", rf"(?P<before>(?<![\w-])[A-Z][A-Z_]*_(?:ADDR|HOST|SERVER)=){_NAME}"),
    ("user", rf"(?P<before>(?:^|[/\0 ])(?:su|login)[\0 ](?:-{{1,2}}(?!c[\0 ])[a-z]*[\0 ])*){_USER}"),
    ("user", rf"(?P<before>(?:^|[/\0 ])(?:sudo|runuser)[\0 ](?:-[A-Za-z]+[\0 ])*-u[\0 ]?){_USER}"),
    ("network", r"(?P<before>(?<![\w-])(?:--?)?e?ssid(?:=|\0|[ \t]+))(?P<value>[^\0\n]+)"),
)
_OF_CONTAINERS = (("host", rf"(?P<before>(?<![\w-])(?:--name|-n){_ARGUMENT}){_NAME}"),)
_Rules = tuple[tuple[str, re.Pattern[str]], ...]


def _compiled(rules: tuple[tuple[str, str], ...]) -> _Rules:
    return tuple((kind, re.compile(form, re.M)) for kind, form in rules)


_EVERYWHERE_RULES, _MOUNT_RULES, _GROUP_RULES = map(_compiled, (_EVERYWHERE, _MOUNTS, _GROUPS))
_COMMAND_RULES, _CONTAINER_RULES = map(_compiled, (_COMMANDS, _OF_CONTAINERS))


def replace_named(path: str, text: str, new: Callable[[str, str], str]) -> str:
    """The text with what stands in such places replaced by ``new(kind, name)``; a kind is one of ``NAMES``."""

    def told(kind: str, found: re.Match[str]) -> str:
        known = found["value"].lower() in WORDS_OF_ALL
        return found[0] if known else found["before"] + new(kind, found["value"])

    for kind, rule in _rules(path, text):
        text = rule.sub(partial(told, kind), text)
    if path.endswith("/cmdline") and _CALLERS.match(text):
        text = _called(text, new)
    return text


def named(path: str, text: str) -> Iterator[tuple[str, str]]:
    """Kind and name of what stands in such places and is no word: it has a digit, point or hyphen, or logged in."""
    found: list[tuple[str, str]] = []

    def note(kind: str, name: str) -> str:
        found.append((kind, name))
        return name

    replace_named(path, text, note)
    login = _LOGINS.match(text)
    for kind, name in found:
        if kind == "user" and login is not None and name == login["value"]:
            yield kind, name
        elif kind in ("user", "host"):
            # of `code.example.com` the first part is a word like others
            yield from ((kind, told) for told in (name, name.partition(".")[0]) if re.search(r"[\d.-]", told))


def _rules(path: str, text: str) -> _Rules:
    if re.search(r"/(?:mounts|mountinfo|fstab)$", path):
        return _MOUNT_RULES + _EVERYWHERE_RULES
    if path.endswith("/cgroup"):
        return _GROUP_RULES
    if not path.endswith("/cmdline"):
        return _EVERYWHERE_RULES
    rules = (("user", _LOGINS), *_COMMAND_RULES, *_EVERYWHERE_RULES)
    return (*_CONTAINER_RULES, *rules) if _CONTAINERS.match(text) else rules


def _called(text: str, new: Callable[[str, str], str]) -> str:
    """The first argument that is a machine, and all with a point or a path behind the name."""
    words = text.split("\0")
    first = True
    for at in range(1, len(words)):
        called = _CALLED.match(words[at])
        if called is None or _TAKES_VALUE.fullmatch(words[at - 1]) or called[0].lower() in WORDS_OF_ALL:
            continue
        if first or "." in called[0] or called.end() < len(words[at]):
            words[at] = new("host", called[0]) + words[at][called.end() :]
        first = False
    return "\0".join(words)
