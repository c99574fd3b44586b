"""Which board a machine is, as its device tree and boot configuration say it."""

from __future__ import annotations

import re

import msgspec

from memfit.device.boards import find_board, part_numbers
from memfit.device.meminfo import parse_meminfo
from memfit.device.reading import read_text
from memfit.host import Host

_TREES = ("/proc/device-tree", "/sys/firmware/devicetree/base")
BOOT_CONTROL = "/etc/nv_boot_control.conf"
_MEMINFO = "/proc/meminfo"
PATHS = (*(f"{tree}/{name}" for tree in _TREES for name in ("compatible", "model")), BOOT_CONTROL, _MEMINFO)
# lines are "NAME value", with blanks or tabs between
_SPEC = re.compile(r"^[ \t]*(TNSPEC|COMPATIBLE_SPEC)[ \t]+(\S+)[ \t]*\r?$", re.MULTILINE)


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What a board calls itself.

    Attributes:
        compatible: of the device tree's root, the most special first.
        model: the device tree's display name; generic on Thor, and the same on modules of different memory.
        boot_spec: TNSPEC of the boot configuration, else COMPATIBLE_SPEC.
        parts: part numbers of both.
        key: of the board in the catalog; None where it is not there.
        name: of the board in the catalog, else ``model``.
        super: whether it runs a device tree of the Super modes.
    """

    compatible: tuple[str, ...] = ()
    model: str | None = None
    boot_spec: str | None = None
    parts: tuple[str, ...] = ()
    key: str | None = None
    name: str | None = None
    super: bool = False

    @property
    def tegra(self) -> bool:
        """Whether it is a Tegra at all."""
        return any(word.startswith("nvidia,tegra") for word in self.compatible) or bool(self.parts and self.boot_spec)


def read_identity(host: Host) -> Identity | None:
    """None on a machine with neither device tree nor boot configuration."""
    compatible = _first(host, "compatible")
    model = _first(host, "model")
    spec = parse_boot_control(read_text(host, BOOT_CONTROL) or "")
    if not compatible and not model and spec is None:
        return None
    words = tuple(word for word in (compatible or "").split("\0") if word)
    total = parse_meminfo(read_text(host, _MEMINFO) or "").get("MemTotal")
    found = find_board(words, spec, total_bytes=total)
    return Identity(
        compatible=words,
        model=model,
        boot_spec=spec,
        parts=part_numbers(words, spec),
        key=None if found is None else found[0],
        name=model if found is None else found[1].name,
        super=any(word.endswith("-super") for word in words),
    )


def parse_boot_control(text: str) -> str | None:
    """TNSPEC, else COMPATIBLE_SPEC; None where there is neither."""
    found = dict(_SPEC.findall(text))
    return found.get("TNSPEC") or found.get("COMPATIBLE_SPEC")


def _first(host: Host, name: str) -> str | None:
    return next((text for tree in _TREES if (text := read_text(host, f"{tree}/{name}", most=4096))), None)
