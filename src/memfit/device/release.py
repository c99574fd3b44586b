"""Jetson Linux and JetPack of a machine, and the libraries that came with it."""

from __future__ import annotations

import re

import msgspec

from memfit.device.compatibility import jetpack_of
from memfit.device.packages import STATUS, library_paths, library_version, read_cuda, read_packages, upstream
from memfit.device.reading import read_text
from memfit.host import Host

RELEASE = "/etc/nv_tegra_release"
CUDA = "/usr/local/cuda/version.json"
# the link of /usr/local/cuda may be absent in a container's image
_TOOLKITS = "/usr/local/cuda-*/version.json"
_TENSORRT, _CUDNN = "libnvinfer", "libcudnn"
PATHS = (RELEASE, STATUS, CUDA, _TOOLKITS, *library_paths(_TENSORRT, _CUDNN))
_WANTED = (
    "nvidia-l4t-core",
    "nvidia-jetpack",
    "tensorrt",
    r"libnvinfer\d+",
    r"libcudnn\d+(?:-cuda-\d+)?",
    r"cuda-cudart-\d+-\d+",
)
_LINE = re.compile(r"#\s*R([0-9]{1,4}) \(release\), REVISION: ([0-9]{1,4})\.([0-9]{1,4})", re.ASCII)


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """What a Jetson runs.

    Attributes:
        l4t: Jetson Linux, ``36.4.7``: what is installed, which apt moves on after flashing.
        jetpack: the JetPack that it belongs to; None where no source places it.
        jetpack_package: version of the meta package ``nvidia-jetpack``, where that is installed; it may lag behind.
        cuda, tensorrt, cudnn: None where not installed.
    """

    l4t: str | None = None
    jetpack: str | None = None
    jetpack_package: str | None = None
    cuda: str | None = None
    tensorrt: str | None = None
    cudnn: str | None = None


def parse_tegra_release(text: str) -> str | None:
    """``36.4.7`` of ``# R36 (release), REVISION: 4.7, …``; None of other text."""
    found = _LINE.search(text)
    return f"{int(found[1])}.{int(found[2])}.{int(found[3])}" if found else None


def read_release(host: Host) -> Release | None:
    """None on a machine that has none of it."""
    packages = read_packages(host, _WANTED)
    core = packages.get("nvidia-l4t-core")
    # the package is newer than the file where an update was interrupted; the file alone is there in a Yocto image
    l4t = (upstream(core) if core else None) or parse_tegra_release(read_text(host, RELEASE) or "")
    meta = packages.get("nvidia-jetpack")
    release = Release(
        l4t=l4t,
        jetpack=jetpack_of(l4t),
        jetpack_package=upstream(meta) if meta else None,
        cuda=_cuda(host, packages),
        tensorrt=_version(packages, "tensorrt", "libnvinfer") or library_version(host, _TENSORRT),
        cudnn=_version(packages, "libcudnn") or library_version(host, _CUDNN),
    )
    return None if release == Release() else release


def _version(packages: dict[str, str], *starts: str) -> str | None:
    for start in starts:
        found = next((version for name, version in packages.items() if name.startswith(start)), None)
        if found is not None:
            return upstream(found)
    return None


def _cuda(host: Host, packages: dict[str, str]) -> str | None:
    found = read_cuda(host, CUDA) or _version(packages, "cuda-cudart")
    if found is not None:
        return found
    versions = [version for path in host.glob(_TOOLKITS) if (version := read_cuda(host, path))]
    return max(versions, key=lambda version: [int(part) for part in version.split(".")], default=None)
