"""Container engines, and whether they hand the GPU to a container."""

from __future__ import annotations

import json
import re

from memfit.device.containers import Containers
from memfit.device.facts._fact import Fact
from memfit.device.packages import STATUS, read_packages, upstream
from memfit.device.reading import read_text
from memfit.host import Host

_PROGRAMS = {name: f"/usr/bin/{name}" for name in ("dockerd", "podman", "containerd")}
_RUNTIME = "/usr/bin/nvidia-container-runtime"
_SETTINGS = "/etc/docker/daemon.json"
_PACKAGES = ("docker-ce", r"docker\.io")


def read(host: Host) -> Containers | None:
    """None where none is installed."""
    engines = tuple(name for name, path in _PROGRAMS.items() if host.glob(path))
    packages = read_packages(host, _PACKAGES) if "dockerd" in engines else {}
    version = next(iter(packages.values()), None)
    found = Containers(
        engines=engines,
        docker=upstream(version) if version else None,
        nvidia_runtime=bool(host.glob(_RUNTIME)),
        nvidia_default=parse_default_runtime(read_text(host, _SETTINGS) or "") == "nvidia",
    )
    return found if engines or found.nvidia_runtime else None


def parse_default_runtime(text: str) -> str | None:
    """``default-runtime`` of Docker's settings; None where it is not set, or the file is no JSON."""
    try:
        settings = json.loads(re.sub(r"^[ \t]*//.*$", "", text, flags=re.MULTILINE))
    except (ValueError, RecursionError):
        return None
    runtime = settings.get("default-runtime") if isinstance(settings, dict) else None
    return runtime if isinstance(runtime, str) else None


FACT = Fact(
    paths=(*_PROGRAMS.values(), _RUNTIME, _SETTINGS, STATUS),
    read=read,
    provides="container engines and their GPU runtime",
)
