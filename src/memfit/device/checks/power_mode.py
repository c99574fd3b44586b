"""The mode with the most power, by its name: ids differ by board (0 is MAXN on NX and 15 W on Orin Nano Super)."""

from __future__ import annotations

import re

from memfit.device.audit_records import PowerMode
from memfit.device.checks._item import NO_JETSON, Answer, Findings, Item, failed, passed, unknown


def _judge(findings: Findings) -> Answer:
    if not findings.jetson:
        return NO_JETSON
    power = findings.audit.power
    if power.mode is None or not power.modes:
        return unknown("the power mode could not be read (/etc/nvpmodel.conf, /var/lib/nvpmodel/status)")
    best = max(power.modes, key=lambda mode: (_rank(mode), _cores(mode)))
    if _rank(power.mode) >= _rank(best):
        return passed(f"{power.mode.name}")
    names = ", ".join(mode.name for mode in power.modes)
    return failed(
        f"{power.mode.name}; this board has {names}",
        f"sudo nvpmodel -m {best.id}  # {best.name}; modes that change the number of cores ask for a reboot",
    )


def _rank(mode: PowerMode) -> tuple[int, int]:
    """MAXN modes above all, then by watts."""
    watts = re.search(r"(\d+) ?W", mode.name, re.IGNORECASE)
    unlimited = mode.name.upper().startswith("MAXN")
    return (1 + ("SUPER" in mode.name.upper()) if unlimited else 0, int(watts[1]) if watts else 0)


def _cores(mode: PowerMode) -> int:
    """Of modes of the same power the one with most cores: MODE_20W_6CORE; one that names none has all of them."""
    named = re.search(r"(\d+)CORE", mode.name, re.IGNORECASE)
    return int(named[1]) if named else 0 if "DESKTOP" in mode.name.upper() else 99


CHECK = Item(
    asks="Does the board run in its fastest power mode?",
    judge=_judge,
    source="LLM Optimization on Jetson, pre-flight checklist; mode names of the board itself",
)
