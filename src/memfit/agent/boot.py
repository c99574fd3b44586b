"""A boot that is tried: what the machine falls back from by itself, and keeps only where it was found healthy.

::

    apply     the boot loader's file names the new label, and the state is                            ``begun``
    boot      ``early`` finds the word of the new label: the file names the label before at once      ``trying``
              … or does not find it: the loader took no notice, or this is the boot after a hang      ``fell back``
    later     ``confirm`` finds all as it was before: the file names the new label for good           ``confirmed``
              … or finds something broken: the file stays                                             ``fell back``

A file that a program makes (``grub.cfg``) is known only when it is made. Until then the state is ``being made``, and a
boot that finds that falls back whatever the file holds. What such a file is made from goes with it, or the next kernel
to be installed would bring the words back.

So from the first moments of user space on, a hang or a cut of power leads back. A kernel that panics before that needs
the menu on the serial console, or the other slot.

The state is one file (``memfit.agent.trial``).
"""

from __future__ import annotations

from typing import Any

from memfit.agent.health import COMMAND_LINE, ailments, look, text_of, words_of
from memfit.agent.journal import HOME
from memfit.agent.machine import Machine
from memfit.agent.tree import Tree
from memfit.agent.trial import (
    MAKING,
    TRIAL,
    Tried,
    beside_of,
    both,
    coded,
    digest,
    digest_of,
    files_of,
    note,
    put,
    read_trial,
    settle,
)

AGENT = f"{HOME}/agent.pyz"
PROOF = "memfit.boot"
"""The word that shows which label was booted."""

_ENDS = ("confirmed", "fell back")
_BOOT_ID = "/proc/sys/kernel/random/boot_id"

# early: as soon as its folders can be written, before anything that could hang, also where another file system is
# missing and systemd goes into its emergency mode. confirm: when everything else has been started, or has failed.
UNITS = {
    "memfit-trial.service": (
        f"""\
[Unit]
Description=Boot the label before memfit's next time, unless this boot is confirmed
DefaultDependencies=no
RequiresMountsFor={HOME} /boot/extlinux /boot/grub
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
    found = _record(tree, machine, id, trial)
    note(tree, {**found, "path": path, **both(*contents), "original": trial["original"], "state": "begun"})


def announce(tree: Tree, machine: Machine, id: str, file: Tried, sources: list[Tried], trial: dict[str, Any]) -> None:
    """Remember that a program is about to make the boot loader's file of others; ``made`` tells what it holds then.

    What stood there before is fallen back to; where that waits for a boot itself, what that one would fall back to.

    Args:
        tree: the machine's files.
        machine: as for ``begin``.
        id: of the transaction.
        file: the boot loader's, both of whose contents are what it holds now.
        sources: what it is made from.
        trial: ``expects``, words of the command line.

    Raises:
        OSError: it cannot be written.
    """
    files: list[dict[str, Any]] = []
    for one in (file, *sources):
        files.append({"path": one.path, **both(one.tried, one.fallback), "like": one.like._asdict()})
    waiting = read_trial(tree)
    stands = {"state": "begun", "path": file.path, "tried": files[0]["fallback"]}
    if waiting and {**waiting, **stands} == waiting:
        earlier = {one["path"]: one["fallback"] for one in files_of(waiting)}
        files = [{**one, "fallback": earlier.get(one["path"], one["fallback"])} for one in files]
    found = _record(tree, machine, id, trial)
    note(tree, {**found, **files[0], "sources": files[1:], "original": "", "state": MAKING})


def made(tree: Tree, id: str) -> None:
    """The program has made the file: that is what is tried.

    Raises:
        OSError: it cannot be read, or noted.
    """
    trial = read_trial(tree)
    if trial.get("id") == id and trial["state"] == MAKING:
        note(tree, {**trial, "tried": coded(tree.read(trial["path"])), "state": "begun"})
        settle()


def has_fallen(tree: Tree, id: str, path: str) -> bool:
    """Whether a file is what a trial of this transaction falls back to."""
    trial = read_trial(tree)
    files = files_of(trial) if trial.get("id") == id else []
    return any(file["path"] == path and digest(tree, file) == digest_of(file["fallback"]) for file in files)


def early(tree: Tree) -> dict[str, Any]:
    """Early in a boot: let the next one be the label before.

    Returns:
        The trial as it stands.

    Raises:
        OSError: a file cannot be written.
    """
    trial = read_trial(tree)
    same_boot = bool(trial) and trial["boot_id"] not in ("", None) and trial["boot_id"] == text_of(tree, _BOOT_ID)
    if not trial or trial["state"] in _ENDS or same_boot:
        return trial
    edited = put(tree, trial, "fallback")
    proof = trial["expects"].get(PROOF)
    if trial["state"] == MAKING:
        why = f"the machine went down while {trial['path']} was being made"
        return note(tree, {**trial, "state": "fell back", "reasons": [why, *edited]})
    if proof is not None and words_of(text_of(tree, COMMAND_LINE)).get(PROOF) == proof:
        return note(tree, {**trial, "state": "trying"})
    if trial["state"] == "trying":
        why = "the machine booted again before that boot was confirmed"
    else:
        why = f"{PROOF}={proof} is not in {COMMAND_LINE}: the boot loader booted something else"
    return note(tree, {**trial, "state": "fell back", "reasons": [why, *edited]})


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
        reasons = put(tree, trial, "tried")
    return note(tree, {**trial, "state": "fell back" if reasons else "confirmed", "reasons": reasons})


def forget(tree: Tree, id: str) -> None:
    """There is nothing to try any more of this transaction.

    Raises:
        OSError: what the kernel refuses.
    """
    tree.remove(TRIAL + ".new")  # where power was cut while that was written
    trial = read_trial(tree)
    if trial.get("id") == id:
        for file in files_of(trial):
            tree.remove(beside_of(trial, file))
        tree.remove(TRIAL)


def _record(tree: Tree, machine: Machine, id: str, trial: dict[str, Any]) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "id": id,
        "expects": trial["expects"],
        "boot_id": text_of(tree, _BOOT_ID),
        "before": look(tree, machine) if machine.live else {},
        "reasons": [],
    }
