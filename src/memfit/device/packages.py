"""Versions of installed software, from the files that installing it leaves: nothing is run to ask."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from memfit.device.reading import read_text
from memfit.errors import ProbeError
from memfit.host import Host

STATUS = "/var/lib/dpkg/status"
# the package database of a Jetson with everything has some 5 MB
_MOST_STATUS = 32 << 20
_LIBRARIES = "/usr/lib/aarch64-linux-gnu/{}.so.*"
_INSTALLED = re.compile(rb"^Status: .*\binstalled$", re.MULTILINE)
_VERSION = re.compile(rb"^Version: (\S+)$", re.MULTILINE)
_NUMBERS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){1,8}", re.ASCII)


def read_packages(host: Host, wanted: Iterable[str]) -> dict[str, str]:
    """Versions of installed Debian packages by name; ``wanted`` are regular expressions of whole names."""
    try:
        return parse_packages(host.read_bytes(STATUS, most=_MOST_STATUS), wanted)
    except ProbeError:
        return {}


def parse_packages(status: bytes, wanted: Iterable[str]) -> dict[str, str]:
    """The same of a database's content; packages that were removed and left their settings do not count."""
    pattern = re.compile(rb"^Package: (" + b"|".join(name.encode() for name in wanted) + rb")$", re.MULTILINE)
    found = {}
    for name in pattern.finditer(status):
        end = status.find(b"\n\n", name.end())
        entry = status[name.end() : len(status) if end < 0 else end]
        version = _VERSION.search(entry)
        if version is not None and _INSTALLED.search(entry):
            found[name[1].decode("ascii", "replace")] = version[1].decode("utf-8", "replace")
    return found


def upstream(version: str) -> str:
    """A Debian version without epoch, revision and build: ``10.3.0.30`` of ``10.3.0.30-1+cuda12.5``."""
    return re.split(r"[-+~]", version.partition(":")[2] or version, maxsplit=1)[0]


def library_version(host: Host, name: str) -> str | None:
    """The longest version among ``libNAME.so.1.2.3`` files, for images without a package database."""
    versions = (path.rpartition(".so.")[2] for path in host.glob(_LIBRARIES.format(name)))
    numbers = [version for version in versions if _NUMBERS.fullmatch(version)]
    return max(numbers, key=lambda version: [int(part) for part in version.split(".")], default=None)


def library_paths(*names: str) -> tuple[str, ...]:
    """What ``library_version`` looks for."""
    return tuple(_LIBRARIES.format(name) for name in names)


def parse_cuda(text: str) -> str | None:
    """CUDA's version in a toolkit's ``version.json``: of its run-time library, as JetPack's tables give it."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    for part in ("cuda_cudart", "cuda_nvcc", "cuda"):
        entry = content.get(part) if isinstance(content, dict) else None
        version = entry.get("version") if isinstance(entry, dict) else None
        if isinstance(version, str) and _NUMBERS.fullmatch(version):
            return version
    return None


def read_cuda(host: Host, path: str) -> str | None:
    """``parse_cuda`` of a file; None where it is not there."""
    return parse_cuda(read_text(host, path) or "")
