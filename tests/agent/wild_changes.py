"""Requests that nobody would make, on a machine whose units go by many names."""

from __future__ import annotations

import os
import random
import re
from pathlib import Path
from typing import Any

from board import CMDLINE, SYSCTL, SYSTEM, VENDOR, Board, FakeMachine

from memfit.agent.denied import is_denied
from memfit.agent.failure import Failure
from memfit.agent.steps import plan_steps
from memfit.agent.tree import Tree

SHARED = Path(__file__).parents[3] / "shared/data/devices/services"
DENIED = (
    *("ssh.service", "ssh@1.service", "nvpower.service", "nvfancontrol.service", "nv-tee-supplicant.service"),
    *("NetworkManager.service", "systemd-networkd.service", "getty@.service", "serial-getty@ttyTCU0.service"),
    *("nvgetty.service", "l4t-rootfs-validation-config.service", "nvfb.service", "wpa_supplicant.service"),
    *("dbus.service", "systemd-logind.service", "udev.service", "home.mount"),
)
FREE = ("docker.service", "cups.socket", "snapd.service", "bluetooth.service", "apt-daily.timer", "lpd@.service")
# name → where it leads, as links in folders of units; what each group is really called comes first
LINKS = {
    "sshd.service": "ssh.service",
    "shell.service": f"{VENDOR}/ssh.service",
    "terminal@.service": "getty@.service",
    "alias-of-alias.service": "shell.service",
    "fan.service": "/opt/nv/fan-link.service",
    "dbus-org.freedesktop.login1.service": "systemd-logind.service",
    "dbus-org.bluez.service": f"{VENDOR}/bluetooth.service",
    "printer.socket": "cups.socket",
    "printing@.service": "lpd@.service",
}
# what some of them are in truth
TRUTH = {
    "sshd.service": "ssh.service",
    "shell.service": "ssh.service",
    "alias-of-alias.service": "ssh.service",
    "terminal@.service": "getty@.service",
    "fan.service": "nvfancontrol.service",
    "innocent.service": "tailscaled.service",
    "hidden@.service": "connman.service",
    "dbus-org.freedesktop.login1.service": "systemd-logind.service",
}
# said once more, and not by the list itself
_SURELY = re.compile(
    r"(?i)ssh|nvpower|nvfancontrol|nv-tee|networkmanager|systemd-(?!oomd)|getty|l4t-rootfs|nvfb|wpa_|dbus\.|udev\.|home\.m"
    r"|tailscale|connman"
)


def aliased(folder: Path) -> Board:
    """A board with units on the list and others, and links between their names."""
    made = Board(folder)
    for unit in (*DENIED, *FREE):
        made.write(f"{VENDOR}/{unit}", "[Unit]\n")
    for name, target in LINKS.items():
        made.link(f"{SYSTEM}/{name}", target)
    made.write("/opt/x/multi-user.target", "[Unit]\n")
    made.link("/opt/nv/fan-link.service", f"{VENDOR}/nvfancontrol.service")
    # the other way round: the name of the list leads to a file that is called something else
    made.write(f"{VENDOR}/innocent.service", "[Unit]\n")
    made.link(f"{SYSTEM}/tailscaled.service", f"{VENDOR}/innocent.service")
    made.link("/run/systemd/generator/connman.service", f"{VENDOR}/hidden@1.service")
    made.machine.values = {"/proc/sys/vm/swappiness": "60"}
    return made


def real_units() -> list[str]:
    """Units of an AGX Orin, where the lists are."""
    texts = [path.read_text() for path in sorted(SHARED.glob("*.txt"))]
    return sorted({unit for text in texts for unit in re.findall(r"^[\w.@-]+\.service", text, re.M)})


UNITS = (*DENIED, *FREE, *LINKS, "innocent.service", "hidden@1.service", "default.target", *real_units())
WORDS = (
    SYSTEM,
    VENDOR,
    "/etc",
    "/dev/null",
    SYSCTL,
    CMDLINE,
    "/proc/sys/vm/swappiness",
    "/swap.memfit",
    "60-memfit.conf",
)


def bent(chance: random.Random, text: str) -> str:
    """The same, or what may pass for it."""
    ways = (
        lambda: text,
        lambda: text,
        lambda: text,
        lambda: text.upper() if chance.random() < 0.5 else text.title(),
        lambda: text.replace("@.", f"@{chance.choice(('tty1', 'x', '', '1.2', '/'))}."),
        lambda: text.replace("/", chance.choice(("//", "/./", "/../", "/x/../")), 1),
        lambda: text + chance.choice(("\n", "\0", " ", "/", ".d", "/.", "%0a", "\\n", "~", ".d/60-memfit.conf")),
        lambda: chance.choice(("./", "../", "/", " ", "\n", "%2e%2e/")) + text,
        lambda: text.replace(".", chance.choice(("-", "..", "\\x2e", "")), 1),
        lambda: text.replace(".service", chance.choice((".socket", ".timer", ".path", ".target", ".service.d"))),
    )
    return chance.choice(ways)()


def wild_change(chance: random.Random) -> dict[str, Any]:
    unit = bent(chance, chance.choice(UNITS))
    places = (
        lambda: f"{SYSTEM}/{unit}",
        lambda: f"{SYSTEM}/{unit}.d/60-memfit.conf",
        lambda: (
            f"{SYSTEM}/{chance.choice(('multi-user.target', unit))}.wants/{chance.choice(('memfit-x.service', unit))}"
        ),
        lambda: bent(chance, chance.choice(WORDS)),
        lambda: f"{bent(chance, chance.choice(WORDS))}/{unit}",
    )
    path = bent(chance, chance.choice(places)())
    kind = chance.choice(("file", "link", "remove", "unit", "unit", "value", "run", "space", "File", "node", ""))
    change = {
        "kind": kind,
        "path": path,
        "unit": unit,
        "active": chance.random() < 0.3,
        "content": "eA==",
        "target": chance.choice(("/dev/null", "/dev/null", path, f"{VENDOR}/{unit}", f"../{unit}", unit)),
        "bytes": chance.choice((4096, 8192, 0, -1, 5)),
        "text": chance.choice(("10", "x")),
        "do": [
            chance.choice(("swapon", "mkswap", "mount", "sh", "systemctl", path)),
            chance.choice((path, unit, "/dev/zram0")),
        ],
        "undo": [],
    }
    if chance.random() < 0.1:
        del change[chance.choice(list(change))]
    return change


def touched(step: dict[str, Any]) -> set[str]:
    """Units that a step touches: each by its name, its template's, and what it is in truth."""
    path = step.get("path", "")
    units = [step["unit"]] if step["kind"] == "unit" else re.findall(r"[^/]+\.(?:service|socket|timer|path)\b", path)
    found = {name for unit in units for name in (unit, re.sub("@[^.]*", "@", unit))}
    return found | {TRUTH[name] for name in found & set(TRUTH)}


def ask_wildly(board: Board, chance: random.Random, times: int) -> int:
    """How many steps were accepted; none of them touches what is denied, or writes elsewhere than it may."""
    values, tree = board.machine.values, Tree(str(board.root))
    board.machine = FakeMachine(*UNITS)
    board.machine.values = values
    accepted = 0
    for _ in range(times):
        changes = [wild_change(chance) for _ in range(chance.choice((1, 1, 1, 2)))]
        try:
            steps = plan_steps(changes, tree, board.machine)
        except Failure:
            continue
        for step in steps:
            denied = {unit for unit in touched(step) if is_denied(unit) or _SURELY.search(unit)}
            assert not {unit for unit in denied if not unit.startswith("memfit-")}, step
            assert step["kind"] != "space" or step["path"] == "/swap.memfit", step
            if step["kind"] == "node":
                assert is_expected(step["path"], step["after"]), step
        accepted += len(steps)
    return accepted


def is_expected(path: str, after: dict[str, Any]) -> bool:
    """Whether a name below the root may become this."""
    if os.path.normpath(path) != path or not path.startswith(("/etc/", "/boot/", "/swap.memfit")):
        return False
    if after["kind"] == "link":
        ours = re.fullmatch(rf"{SYSTEM}/[a-z-]+\.target\.wants/(memfit-[a-z]+\.service|swap\.memfit\.swap)", path)
        starts = f"{VENDOR}/" if path == f"{SYSTEM}/default.target" else f"../{ours[1]}" if ours else "/dev/null"
        return bool(after["target"].startswith(starts))
    if after["kind"] == "file":
        return "memfit" in path or path == CMDLINE
    return True
