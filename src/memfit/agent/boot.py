"""A boot that is tried: what the machine falls back from by itself, and keeps only where it was found healthy.

::

    apply     the boot loader's file names the new label, and the state is                            ``begun``
    boot      ``early`` finds the word of the new label: the file names the label before at once      ``trying``
              … or does not find it: the loader took no notice, or this is the boot after a hang      ``fell back``
    later     ``confirm`` finds all as it was before: the file names the new label for good           ``confirmed``
              … or finds something broken: the file stays                                             ``fell back``

So from the first moments of user space on, a hang or a cut of power leads back. A kernel that panics before that needs
the menu on the serial console, or the other slot.

The state is one file, replaced as a whole. The loader's file is never touched unless it holds one of the two contents
that memfit wrote.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import posixpath
from typing import Any

from memfit.agent.journal import HOME
from memfit.agent.machine import Machine
from memfit.agent.tree import Node, Tree

TRIAL = f"{HOME}/trial.json"
AGENT = f"{HOME}/agent.pyz"
PROOF = "memfit.boot"
"""The word that shows which label was booted."""

_FIELDS = {"id", "path", "tried", "fallback", "original", "expects", "boot_id", "before", "state", "reasons"}
_ENDS = ("confirmed", "fell back")
_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_COMMAND_LINE = "/proc/cmdline"
_SSH = ("ssh.service", "sshd.service", "ssh.socket", "sshd.socket", "dropbear.service")
_FULL = "swiotlb buffer is full"  # kernel/dma/swiotlb.c
_REFUSED = "alloc failed, req-size:"  # mm/cma.c: what nvgpu is told at power-on where the pool is too small

# early: as soon as its folders can be written, before anything that could hang, also where another file system is
# missing and systemd goes into its emergency mode. confirm: when everything else has been started, or has failed.
UNITS = {
    "memfit-trial.service": (
        f"""\
[Unit]
Description=Boot the label before memfit's next time, unless this boot is confirmed
DefaultDependencies=no
RequiresMountsFor={HOME} /boot/extlinux
After=systemd-remount-fs.service
Before=sysinit.target shutdown.target
Conflicts=shutdown.target
ConditionPathExists={TRIAL}

[Service]
Type=oneshot
ExecStart=/usr/bin/python3 -I -S {AGENT} early
TimeoutStartSec=60
""",
        "sysinit.target",
    ),
    "memfit-confirm.service": (
        f"""\
[Unit]
Description=Keep memfit's boot label where this boot is healthy
After=memfit-trial.service multi-user.target
ConditionPathExists={TRIAL}

[Service]
Type=oneshot
ExecStart=/usr/bin/python3 -I -S {AGENT} confirm
TimeoutStartSec=120
""",
        "multi-user.target",
    ),
}


def begin(
    tree: Tree, machine: Machine, id: str, path: str, contents: tuple[bytes, bytes], trial: dict[str, Any]
) -> None:
    """Remember what is about to be tried, before anything of it is written.

    Args:
        tree: the machine's files.
        machine: what is as it is now on it is what a healthy boot is compared with.
        id: of the transaction.
        path: of the boot loader's file.
        contents: what is tried, and what is fallen back to.
        trial: ``original``, the label of the latter; ``expects``, words of the command line.

    Raises:
        OSError: it cannot be written.
    """
    tried, fallback = (base64.b64encode(content).decode() for content in contents)
    before = look(tree, machine) if machine.live else {}
    _note(
        tree,
        {
            "schema_version": 1,
            "id": id,
            "path": path,
            "tried": tried,
            "fallback": fallback,
            "original": trial["original"],
            "expects": trial["expects"],
            "boot_id": _text(tree, _BOOT_ID),
            "before": before,
            "state": "begun",
            "reasons": [],
        },
    )


def read_trial(tree: Tree) -> dict[str, Any]:
    """What is being tried, or was last; empty where nothing is, or nothing that can be read."""
    try:
        trial = json.loads(tree.read(TRIAL))
    except (OSError, ValueError):
        return {}
    return trial if isinstance(trial, dict) and trial.keys() >= _FIELDS else {}


def early(tree: Tree) -> dict[str, Any]:
    """Early in a boot: let the next one be the label before.

    Returns:
        The trial as it stands.

    Raises:
        OSError: a file cannot be written.
    """
    trial = read_trial(tree)
    same_boot = bool(trial) and trial["boot_id"] not in ("", None) and trial["boot_id"] == _text(tree, _BOOT_ID)
    if not trial or trial["state"] in _ENDS or same_boot:
        return trial
    edited = _put(tree, trial, "fallback")
    proof = trial["expects"].get(PROOF)
    if proof is not None and words_of(_text(tree, _COMMAND_LINE)).get(PROOF) == proof:
        return _note(tree, {**trial, "state": "trying"})
    if trial["state"] == "trying":
        why = "the machine booted again before that boot was confirmed"
    else:
        why = f"{PROOF}={proof} is not in {_COMMAND_LINE}: the boot loader booted something else"
    return _note(tree, {**trial, "state": "fell back", "reasons": [why, *edited]})


def confirm(tree: Tree, machine: Machine) -> dict[str, Any]:
    """Later in that boot: keep the new label where all is well.

    Returns:
        The trial as it stands.

    Raises:
        OSError: a file cannot be written.
    """
    trial = early(tree)  # where its unit did not run; a second time it changes nothing
    if not trial or trial["state"] != "trying":
        return trial
    reasons = ailments(trial["before"], look(tree, machine), trial["expects"])
    if not reasons:
        reasons = _put(tree, trial, "tried")
    return _note(tree, {**trial, "state": "fell back" if reasons else "confirmed", "reasons": reasons})


def forget(tree: Tree, id: str) -> None:
    """There is nothing to try any more of this transaction.

    Raises:
        OSError: what the kernel refuses.
    """
    tree.remove(TRIAL + ".new")  # where power was cut while that was written
    trial = read_trial(tree)
    if trial.get("id") == id:
        tree.remove(_beside(trial))
        tree.remove(TRIAL)


def look(tree: Tree, machine: Machine) -> dict[str, Any]:
    """What a boot is judged by; None where it cannot be seen."""
    code, log = machine.run(["dmesg"], most_s=20)
    failed: list[str] | None = None
    if machine.has_systemd():
        words = ["systemctl", "list-units", "--state=failed", "--full", "--plain", "--no-legend"]
        told, said = machine.run(words, most_s=20)
        failed = sorted({line.split()[0] for line in said.splitlines() if line.split()}) if told == 0 else None
    return {
        "command_line": _text(tree, _COMMAND_LINE),
        "cma": _cma(_text(tree, "/proc/meminfo")),
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
            found.append(f"{_COMMAND_LINE}: {told}")
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


def settle() -> None:
    """Write all names to their own places on the disk.

    A flushed rename is in the journal of the file system, which firmware's readers of ext4 do not look into: they would
    see the old file until the kernel has written it back, after half a minute or so.
    """
    os.sync()


def _put(tree: Tree, trial: dict[str, Any], which: str) -> list[str]:
    """Let the boot loader's file hold one of the two contents; why it does not, where somebody changed it."""
    path, content = trial["path"], base64.b64decode(trial[which])
    now = tree.node(path)
    if now.kind != "file" or now.sha256 not in [_sha256(base64.b64decode(trial[one])) for one in ("tried", "fallback")]:
        return [f"{path}: somebody changed it since, and it stays as it is"]
    if now.sha256 == _sha256(content):
        tree.remove(_beside(trial))  # where power was cut while that was written
    else:
        tree.write(_beside(trial), content, now._replace(mtime_ns=None))
        tree.rename(_beside(trial), path)
    settle()
    return []


def _plain(name: str) -> str:
    return name.replace("-", "_")  # the kernel takes one for the other


def _beside(trial: dict[str, Any]) -> str:
    folder, name = posixpath.split(trial["path"])
    return f"{folder}/.{name}.memfit-{trial['id']}.trial"


def _note(tree: Tree, trial: dict[str, Any]) -> dict[str, Any]:
    ours = Node("file", mode=0o600, uid=os.geteuid(), gid=os.getegid())
    tree.write(TRIAL + ".new", json.dumps(trial, indent=1, sort_keys=True).encode(), ours)
    tree.rename(TRIAL + ".new", TRIAL)
    return trial


def _text(tree: Tree, path: str) -> str:
    try:
        return tree.read(path).decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _cma(meminfo: str) -> int | None:
    for line in meminfo.splitlines():
        if line.startswith("CmaTotal:"):
            return int(line.split()[1]) * 1024
    return None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
