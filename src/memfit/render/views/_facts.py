"""What a device is, line by line: board, software, how it booted, power, clocks, storage, swap."""

from __future__ import annotations

from memfit.device.audit_records import Audit, EngineSupport, Storage
from memfit.render.document import Fact, Facts
from memfit.render.views._figures import gib

_DOORS = {"local": "here", "ssh": "over SSH", "rootfs": "from an unpacked image", "recorded": "from a recording"}


def facts(audit: Audit) -> Facts:
    """Board, software, power, storage: one line each, none for what is not known."""
    stack, power = audit.stack, audit.power
    release = None if audit.l4t is None else f"JetPack {audit.jetpack or 'unknown'}, L4T {audit.l4t}"
    software = [
        f"{name} {version}"
        for name, version in (
            ("CUDA", stack.cuda),
            ("TensorRT", stack.tensorrt),
            ("cuDNN", stack.cudnn),
            ("Python", stack.python),
            ("Docker", stack.docker),
        )
        if version
    ]
    clocks = [f"{clock.name} {_mhz(clock.now_hz)}/{_mhz(clock.high_hz)}" for clock in audit.clocks if clock.now_hz]
    rails = [f"{rail.name} {rail.now_mw / 1000:.1f} W" for rail in audit.rails]
    hottest = max(audit.zones, key=lambda zone: zone.now_c, default=None)
    known: list[tuple[str, str | None]] = [
        ("release", release),
        ("system", " · ".join(part for part in (stack.distribution, stack.kernel) if part) or None),
        ("software", " · ".join(software) or None),
        ("engines", " · ".join(_engine(found) for found in audit.engines if found.runs) or None),
        ("boot", _boot(audit)),
        ("power", None if power.mode is None else f"{power.mode.name} (of {_modes(audit)})"),
        ("clocks", f"{' · '.join(clocks)} MHz (now/highest)" if clocks else None),
        ("draws", " · ".join(rails) or None),
        ("hottest", None if hottest is None else f"{hottest.name} {hottest.now_c:.1f} °C"),
        ("storage", "; ".join(_place(place) for place in _places(audit)) or None),
        ("swap", _swap(audit)),
        ("seen", f"{audit.taken}, {_DOORS.get(audit.door, audit.door)}"),
    ]
    return Facts(tuple(Fact(name, value) for name, value in known if value is not None))


def _engine(found: EngineSupport) -> str:
    return f"{found.engine} ≥ {found.minimum_version}" if found.minimum_version else found.engine


def _mhz(hertz: int | None) -> str:
    return f"{hertz / 1e6:.0f}" if hertz is not None else "?"


def _boot(audit: Audit) -> str | None:
    boot = audit.boot
    parts = [
        None if boot.slot is None else f"slot {boot.slot}",
        None if boot.secure_boot is None else f"Secure Boot {'on' if boot.secure_boot else 'off'}",
        None if boot.root_device is None else f"root {boot.root_device}",
    ]
    return " · ".join(part for part in parts if part) or None


def _modes(audit: Audit) -> str:
    return ", ".join(mode.name for mode in audit.power.modes) or "unknown modes"


def _place(place: Storage) -> str:
    return f"{place.mount} {place.kind}, {place.free_bytes / 1e9:.0f} GB free"


def _places(audit: Audit) -> list[Storage]:
    return sorted(audit.storage, key=lambda place: (place.mount != "/", place.mount))[:3]


def _swap(audit: Audit) -> str | None:
    if not audit.swaps:
        return None
    size, used = sum(swap.size_bytes for swap in audit.swaps), sum(swap.used_bytes for swap in audit.swaps)
    kinds = ", ".join(dict.fromkeys(swap.kind for swap in audit.swaps))
    return f"{gib(used)} of {gib(size)} used ({kinds})"
