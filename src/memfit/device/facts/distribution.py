"""The distribution, as it calls itself."""

from __future__ import annotations

import re

from memfit.device.facts._fact import Fact
from memfit.device.reading import read_text
from memfit.host import Host

# /etc/os-release is a link to the other: os-release(5)
_PATHS = ("/etc/os-release", "/usr/lib/os-release")
_NAME = re.compile(r"""^PRETTY_NAME=(["']?)([^"'\n]+)\1[ \t\r]*$""", re.MULTILINE)


def read(host: Host) -> str | None:
    """``Ubuntu 22.04.5 LTS``; None where neither file says it."""
    for path in _PATHS:
        if found := _NAME.search(read_text(host, path) or ""):
            return found[2]
    return None


FACT = Fact(paths=_PATHS, read=read, provides="the distribution's name")
