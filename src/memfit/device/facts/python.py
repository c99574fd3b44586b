"""The system's Python, without starting it."""

from __future__ import annotations

import re

from memfit.device.facts._fact import Fact
from memfit.device.packages import STATUS, read_packages, upstream
from memfit.errors import ProbeError
from memfit.host import Host

_PATH = "/usr/bin/python3"
_NAME = re.compile(r"python([0-9]+\.[0-9]+)", re.ASCII)


def read(host: Host) -> str | None:
    """``3.10.12`` where the package database says it, ``3.10`` where only the program's name does; None without one."""
    try:
        name = _NAME.fullmatch(host.read_link(_PATH).rpartition("/")[2])
    except ProbeError:
        return None
    if name is None:
        return None
    package = read_packages(host, [re.escape(name[0])]).get(name[0])
    return upstream(package) if package else name[1]


FACT = Fact(paths=(_PATH, STATUS), read=read, provides="the version of /usr/bin/python3")
