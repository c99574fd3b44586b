"""Which algorithms the kernels of an image have for zram, as far as their modules and configuration tell.

Up to 6.11 zram packs with the kernel's crypto modules; from 6.12 on it has backends of its own, which no list of
modules names (drivers/block/zram/Kconfig). What writes a name that the kernel lacks into ``comp_algorithm`` fails, and
no device is made.
"""

from __future__ import annotations

import re

import msgspec

from memfit.device.reading import read_text
from memfit.errors import ProbeError
from memfit.host import Host

MODULES = "/lib/modules"
_MOST_BYTES = 4 << 20
_CONFIGURATIONS = ("/boot/config-{}", f"{MODULES}/{{}}/config", f"{MODULES}/{{}}/build/.config")
_SYMBOLS = {
    "842": "842", "deflate": "DEFLATE", "lz4": "LZ4", "lz4hc": "LZ4HC", "lzo": "LZO", "lzo-rle": "LZO", "zstd": "ZSTD",
}  # fmt: skip
_MODULE = re.compile(r"(?:^|/)crypto/([\w-]+)\.ko\b")
_SET = re.compile(r"^CONFIG_((?:CRYPTO|ZRAM_BACKEND)_\w+)=[ym]$", re.MULTILINE)
_VERSION = re.compile(r"(\d+)\.(\d+)")
_OWN_BACKENDS = (6, 12)


class Kernel(msgspec.Struct, frozen=True, kw_only=True):
    """One kernel of an image: what it has and what it lacks; of what is in neither nobody knows."""

    version: str
    has: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()


def read_kernels(host: Host) -> tuple[Kernel, ...]:
    """All whose modules are there."""
    try:
        versions = host.list_dir(MODULES)
    except ProbeError:
        return ()
    return tuple(_read(host, version) for version in versions if _VERSION.match(version))


def _read(host: Host, version: str) -> Kernel:
    found = _VERSION.match(version)
    assert found is not None
    own = (int(found[1]), int(found[2])) >= _OWN_BACKENDS
    built_in, loadable = (_text(host, f"{MODULES}/{version}/modules.{name}") for name in ("builtin", "dep"))
    texts = (_text(host, path.format(version)) for path in _CONFIGURATIONS)
    configuration = next((text for text in texts if text is not None), None)
    if not own and built_in is not None and loadable is not None:
        # the first name of a line of modules.dep is the module, and all others are what it needs
        paths = (*built_in.splitlines(), *(line.partition(":")[0] for line in loadable.splitlines()))
        names = {matched[1] for path in paths if (matched := _MODULE.search(path))}
        has = frozenset(name for name in _SYMBOLS if name in names)
    elif configuration is not None:
        switches = set(_SET.findall(configuration))
        prefix = "ZRAM_BACKEND_" if own else "CRYPTO_"
        has = frozenset(name for name, symbol in _SYMBOLS.items() if prefix + symbol in switches)
    else:
        return Kernel(version=version)
    return Kernel(version=version, has=has, lacks=frozenset(_SYMBOLS) - has)


def _text(host: Host, path: str) -> str | None:
    return read_text(host, path, most=_MOST_BYTES)
