"""What tells one machine or person from another: found where it stands, to be replaced wherever it is named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import islice

import msgspec

from memfit.host._places import named
from memfit.host._words import WORDS_OF_ALL

_OCTET = r"(?:25[0-5]|2[0-4]\d|[01]?\d?\d)"
# A library's version follows .so., and five numbers are none
IPV4 = rf"(?<!\d)(?<!\d\.)(?<!\.so\.)(?:{_OCTET}\.){{3}}{_OCTET}(?!\d)(?!\.\d)"
MAC = r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{2}(?P<mark>[:_-])(?:[0-9A-Fa-f]{2}(?P=mark)){4,18}[0-9A-Fa-f]{2}(?![0-9A-Fa-f])"
VOLUME = r"(?<=UUID=)[0-9A-Fa-f]{4,8}-[0-9A-Fa-f]{2,4}(?![\w-])"
# What is recognised by its form, the more particular first
FORMS = (
    ("uuid", r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?![0-9A-Fa-f])"),
    ("id", r"(?<![0-9A-Za-z])[0-9a-f]{32}(?![0-9A-Za-z])"),
    (
        "mac",
        rf"{MAC}|(?<=enx)[0-9a-f]{{12}}(?![0-9A-Za-z])|(?<=wlx)[0-9a-f]{{12}}(?![0-9A-Za-z])"
        r"|(?<=mac=)[0-9A-Fa-f]{12}(?![0-9A-Za-z])",
    ),
    ("ipv6", rf"(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{{0,4}}:){{2,8}}(?:{IPV4}|[0-9A-Fa-f]{{0,4}}(?![0-9A-Za-z:]|\.\d))"),
    ("ipv4", rf"{IPV4}|(?<=\bip-)\d{{1,3}}(?:-\d{{1,3}}){{3}}(?![\d-])"),
)
_ANY_FORM = re.compile("|".join(f"(?:{form})" for _, form in FORMS))
_MAC = re.compile(MAC)

# Every name is looked for everywhere: of a log that names thousands, the rest is replaced where it stands alone
_MOST_NAMED = 200
# Public texts: a server's name in them is its maker's, and four numbers with points are a version
SOFTWARE = re.compile(r"/(?:usr|opt|lib|snap|var/lib/dpkg)/|/etc/(?:nv_tegra_release|os-release|lsb-release)$")
# Files that hold one value which is that of this piece of hardware or of this installation
OF_THIS_DEVICE = re.compile(
    r"/serial(?:-number|_number)?$|/proc/device-tree/.*(?:serial|ecid|uuid)[^/]*$|/dmi/id/\w*(?:serial|uuid|asset_tag)$"
    r"|/machine-id$|/(?:boot_id|uuid|wwid|cid|eui|nguid|subsysnqn)$|/sys/class/net/[^/]+/address$|mac[^/]*address$"
    r"|ether-mac\w*$"
)
HOST_FILES = re.compile(r"^/etc/hostname$|^/proc/sys/kernel/(?:hostname|domainname)$")
HOSTS_FILE, _PASSWORDS_FILE = "/etc/hosts", "/etc/passwd"
# A name in it, behind the address; those of every machine stay
HOSTS_NAME = re.compile(r"(?<=[ \t])(?!(?:localhost|localdomain|ip6-)[\w.-]*\b)[A-Za-z0-9][\w.-]*")
# After a separator: `Serial : 142…`, `SerialNumber: 142…`, `androidboot.serialno=142…`, `ECID: 0x…`; and behind
# an option
SERIAL = re.compile(
    r"(?P<before>(?:serial[ _-]?(?:no|number|num)?|ecid|br_cid|chip[ _-]?uid)\0?[ \t]*[:=][ \t]*\"?"
    r"|(?<![\w-])--?serial(?:-?(?:no|number|num))?(?:\0|[ \t]+))"
    r"(?P<value>(?=[\w-]*\d)[\w-]{4,})",
    re.I,
)
HOME = re.compile(
    r"(?P<before>(?<![\w.])/(?:(?:var|export|mnt)/)?(?:home|Users)/|(?<![\w.])/(?:run/)?media/(?=[^/\s]+/))"
    r"(?P<value>[^/\s\0\"':;,()<>|]+)"
)
HOME_MARKS = ("/home/", "/Users/", "/media/")
LOGGED = re.compile(
    r"^(?P<before>(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT[\d:.,+Z-]+)[ \t])"
    r"(?P<value>[\w.-]+)(?=[ \t])",
    re.M,
)
# `root@host`, but no unit of systemd (`getty@tty1.service`) and no node of a device tree (`i2c@3160000`)
AT = re.compile(
    r"(?<![\w.+-])(?P<user>[A-Za-z_][\w.+-]*)@"
    r"(?!(?:(?=[0-9a-f,]*\d)[0-9a-f,]+|[a-f]{1,2})(?![\w.-]))(?P<host>[A-Za-z0-9][\w.-]*)(?<![.-])"
)
# What an option or a variable of a command line says of a host; addresses are found by their form
NAMED_HOST = re.compile(r"(?<![\w-])(?:--?host(?:-?name)?(?:=|\0|[ \t]+)|HOST(?:NAME)?=)(?P<value>[A-Za-z][\w.-]*)")
UNIT = re.compile(r"\.(?:service|socket|slice|scope|mount|automount|timer|target|device|swap|path)$")


class Identities(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be replaced wherever it stands, each sorted; text as Latin-1 reads it."""

    hosts: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    serials: tuple[str, ...] = ()


def find_identities(name: str, texts: Mapping[str, str], paths: Iterable[str] = ()) -> Identities:
    """Search a machine's files.

    Args:
        name: of the machine.
        texts: by path.
        paths: where names may stand too: targets of links, mount points.
    """
    hosts, users, serials = {name}, set[str](), set[str]()
    for path, text in texts.items():
        if OF_THIS_DEVICE.search(path):
            serials |= set(_serials(value_of(text)))
        elif HOST_FILES.match(path):
            hosts |= set(value_of(text).split())
        elif path == HOSTS_FILE:
            hosts |= set(HOSTS_NAME.findall(text))
        elif path == _PASSWORDS_FILE:
            users |= set(_people(text))
        serials |= {found["value"] for found in SERIAL.finditer(text)}
        if any(mark in text for mark in HOME_MARKS):
            users |= {found["value"] for found in HOME.finditer(text)}
        if path.endswith("/cmdline"):
            hosts |= {found["value"] for found in NAMED_HOST.finditer(text)}
        if path.startswith("/var/log/"):
            hosts |= {found["value"] for found in LOGGED.finditer(text)}
    for path in (*texts, *paths):
        users |= {found["value"] for found in HOME.finditer(path)}
    hosts |= {host.partition(".")[0] for host in hosts}
    told = (
        (kind, name) for path, text in texts.items() if not SOFTWARE.match(path) for kind, name in named(path, text)
    )
    for kind, name in islice(dict.fromkeys(told), _MOST_NAMED):
        (users if kind == "user" else hosts).add(name)
    return Identities(
        hosts=tuple(sorted(filter(_tells, hosts))),
        users=tuple(sorted(filter(_tells, users))),
        serials=tuple(sorted(serial for serial in serials if len(serial) >= 6 and re.search(r"[1-9]", serial))),
    )


def value_of(text: str) -> str:
    """The value of a file that holds one, without what ends it."""
    return text.strip("\0 \t\r\n")


def _serials(value: str) -> Iterable[str]:
    for word in value.split():
        if _MAC.fullmatch(word):
            yield re.sub(r"[^0-9A-Fa-f]", "", word)  # as names of interfaces have it
        elif not _ANY_FORM.fullmatch(word):  # what has a form is found by it
            yield word


def _people(text: str) -> Iterable[str]:
    for line in text.splitlines():
        fields = line.split(":")
        if len(fields) == 7 and fields[2].isdigit() and 1000 <= int(fields[2]) < 60000:
            yield fields[0]


def _tells(name: str) -> bool:
    return len(name) >= 3 and not name.isdigit() and name.lower() not in WORDS_OF_ALL
