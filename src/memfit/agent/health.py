"""What a boot is judged by: what was seen on the machine before it, and what is seen now."""

from __future__ import annotations

from typing import Any

from memfit.agent.machine import Machine
from memfit.agent.tree import Tree

COMMAND_LINE = "/proc/cmdline"
_SSH = ("ssh.service", "sshd.service", "ssh.socket", "sshd.socket", "dropbear.service")
_FULL = "swiotlb buffer is full"  # kernel/dma/swiotlb.c
_REFUSED = "alloc failed, req-size:"  # mm/cma.c: what nvgpu is told at power-on where the pool is too small


def look(tree: Tree, machine: Machine) -> dict[str, Any]:
    """What a boot is judged by; None where it cannot be seen."""
    code, log = machine.run(["dmesg"], most_s=20)
    failed: list[str] | None = None
    if machine.has_systemd():
        words = ["systemctl", "list-units", "--state=failed", "--full", "--plain", "--no-legend"]
        told, said = machine.run(words, most_s=20)
        failed = sorted({line.split()[0] for line in said.splitlines() if line.split()}) if told == 0 else None
    return {
        "command_line": text_of(tree, COMMAND_LINE),
        "cma": _cma(text_of(tree, "/proc/meminfo")),
        "gpu": tree.node("/dev/nvhost-ctrl-gpu").kind != "absent" or bool(tree.names("/dev/nvgpu")),
        "ssh": any(machine.unit(unit).get("ActiveState") == "active" for unit in _SSH),
        "failed": failed,
        "full": _FULL in log if code == 0 else None,
        "refused": _REFUSED in log if code == 0 else None,
    }


def ailments(before: dict[str, Any], now: dict[str, Any], expects: dict[str, Any]) -> list[str]:
    """What is wrong with a boot, in words; a pure function of what was seen before it and now."""
    found = []
    words = words_of(now["command_line"])
    for name, value in sorted(expects.items()):
        if words.get(_plain(name)) != value:
            told = f"{name} is still there" if value is None else f"{name}={value} is missing"
            found.append(f"{COMMAND_LINE}: {told}")
    if now["full"]:
        found.append(f"the kernel's log says {_FULL!r}")
    if now["refused"] and not before.get("refused"):
        found.append("the kernel's log says that the pool of contiguous memory could not give what a driver asked for")
    if before.get("cma") and not now["cma"]:
        found.append("CmaTotal is 0: there is no contiguous memory, which the GPU needs")
    if before.get("gpu") and not now["gpu"]:
        found.append("/dev/nvhost-ctrl-gpu and /dev/nvgpu are gone: the GPU did not start")
    if before.get("ssh") and not now["ssh"]:
        found.append("no service answers ssh any more")
    if before.get("failed") is not None:
        found += [f"{unit} failed" for unit in now["failed"] or () if unit not in before["failed"]]
    return found


def words_of(command_line: str) -> dict[str, str]:
    """Words of a command line by name; the last of a name counts."""
    found = {}
    for word in command_line.split():
        name, _, value = word.partition("=")
        found[_plain(name)] = value
    return found


def text_of(tree: Tree, path: str) -> str:
    """A text without the space at its ends; empty where it cannot be read."""
    try:
        return tree.read(path).decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _plain(name: str) -> str:
    return name.replace("-", "_")  # the kernel takes one for the other


def _cma(meminfo: str) -> int | None:
    for line in meminfo.splitlines():
        if line.startswith("CmaTotal:"):
            return int(line.split()[1]) * 1024
    return None
