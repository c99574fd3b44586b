"""What is never changed: whatever is asked, by whichever name, nothing on the list is touched."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
from board import SYSCTL, SYSTEM, VENDOR, Board, file_change, mask, remove, run, stop, value
from hypothesis import given, settings
from hypothesis import strategies as st
from wild_changes import DENIED, FREE, aliased, ask_wildly

from memfit.agent.steps import plan_steps
from memfit.agent.tree import Tree

SEED = 20_260_401


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Board:
    return aliased(tmp_path_factory.mktemp("denied"))


@pytest.mark.parametrize(
    "unit",
    [
        *DENIED,
        *("SSH.service", "nEtWoRk.socket", "getty@tty1.service", "getty@tty1.socket", "systemd-oomd.timer"),
        *("nvidia-powerd.service", "jetson_clocks.service", "snap.network-manager.networkmanager.service"),
        *("sshd.service", "shell.service", "alias-of-alias.service", "fan.service", "innocent.service"),
        *("terminal@.service", "terminal@tty7.service", "hidden@1.service", "hidden@.service"),
        *("dbus-org.freedesktop.login1.service", "dbus-org.bluez.service"),
    ],
)
def test_a_unit_on_the_list_by_any_name(board: Board, unit: str) -> None:
    drop_in = file_change(f"{SYSTEM}/{unit}.d/60-memfit.conf", "[Service]\n")
    for change in (stop(unit), stop(unit, active=True), mask(unit), drop_in):
        assert " is never touched" in board.refuses(change)
    board.refuses(remove(f"{SYSTEM}/{unit}"))


def test_memfits_own_units_are_neither_stopped_nor_bent(board: Board) -> None:
    assert "never touched" in board.refuses(stop("memfit-confirm.service"))
    assert "never touched" in board.refuses(file_change(f"{SYSTEM}/memfit-confirm.service.d/60-memfit.conf", ""))
    assert "never a link" in board.refuses(mask("memfit-confirm.service"))


@pytest.mark.parametrize(
    "unit", [*FREE, "printer.socket", "lpd@x.service", "printing@x.service", "systemd-oomd.service"]
)
def test_what_is_not_on_the_list_may_be_changed(board: Board, unit: str) -> None:
    board.machine.units[unit] = "active"
    assert plan_steps([stop(unit), mask(unit)], Tree(str(board.root)), board.machine)


@pytest.mark.parametrize(
    "unit",
    [
        *("ssh.service\n", "docker.service\n", "docker", "docker.services", "../ssh.service", "a/ssh.service", ""),
        *("docker.service ", "docker.service\0", "--all.service x", "docker.target", "user.slice", "session-1.scope"),
        *("dockér.service", "*.service", "sockets.target", "kexec.target", "multi-user.target", "dev-sda.device"),
    ],
)
def test_what_is_no_unit_to_change(board: Board, unit: str) -> None:
    assert re.search("is no name of a unit|'unit' is plain text", board.refuses(stop(unit)))
    assert re.search("is not a file that memfit changes|'path' is plain text", board.refuses(mask(unit)))


@pytest.mark.parametrize(
    "change",
    [
        # the boot: one of two targets, of systemd's own, and never none
        {"kind": "link", "path": f"{SYSTEM}/default.target", "target": "/opt/x/multi-user.target"},
        {"kind": "link", "path": f"{SYSTEM}/default.target", "target": "multi-user.target"},
        {"kind": "link", "path": f"{SYSTEM}/default.target", "target": f"{VENDOR}/reboot.target"},
        {"kind": "link", "path": f"{SYSTEM}/default.target", "target": f"{VENDOR}/multi-user.target\n"},
        {"kind": "link", "path": f"{SYSTEM}/default.target", "target": "/dev/null"},
        {"kind": "link", "path": f"{SYSTEM}/default.target", "target": "/lib/systemd/system/multi-user.target"},
        remove(f"{SYSTEM}/default.target"),
        file_change(f"{SYSTEM}/default.target", "[Unit]\n"),
        # links that make something else of what they stand for
        {"kind": "link", "path": f"{SYSTEM}/docker.service", "target": f"{VENDOR}/ssh.service"},
        {"kind": "link", "path": f"{SYSTEM}/memfit-x.service", "target": f"{VENDOR}/ssh.service"},
        {"kind": "link", "path": f"{SYSTEM}/sysinit.target.wants/memfit-x.service", "target": f"{VENDOR}/ssh.service"},
        {"kind": "link", "path": "/swap.memfit", "target": "/dev/mmcblk0p1"},
        file_change("/swap.memfit", "x"),
        {"kind": "space", "path": "/swap", "bytes": 4096},
        {"kind": "space", "path": f"{SYSTEM}/memfit-x.service", "bytes": 4096},
        {"kind": "space", "path": "/swap.memfit/../etc/shadow", "bytes": 4096},
        {"kind": "link", "path": f"{SYSTEM}/swap.target.wants/swap.memfit.swap", "target": "/opt/x.swap"},
        file_change(f"{SYSTEM}/dev-sda1.swap", "[Swap]\n"),
        {"kind": "link", "path": SYSCTL, "target": "/etc/shadow"},
        {"kind": "link", "path": "/boot/extlinux/extlinux.conf", "target": "/dev/null"},
        {"kind": "link", "path": f"{SYSTEM}/docker.service.d/60-memfit.conf", "target": "/x"},
        file_change(f"{SYSTEM}/sysinit.target.wants/memfit-x.service", ""),
        # what others made
        file_change(f"{SYSTEM}/docker.service", "[Service]\n"),
        remove("/etc/kernel/cmdline"),
        remove(f"{SYSTEM}/printer.socket"),
        # more than one unit
        *(file_change(f"{SYSTEM}/{name}.service.d/60-memfit.conf", "") for name in ("nv-", "docker-", "a-@", "a-@b")),
        file_change(f"{SYSTEM}/service.d/60-memfit.conf", ""),
        # other files, other ways to write them
        *(file_change(path, "x") for path in ("/etc/passwd", "/etc/fstab", "/etc/sysctl.conf", f"{SYSCTL}.d", "/", "")),
        *(file_change(path, "x") for path in (f"/etc/./{SYSCTL[5:]}", f"/{SYSCTL}", f"{SYSCTL}\n", f"{SYSCTL}/../x")),
        file_change("etc/kernel/cmdline", "x"),
        file_change("/boot/extlinux/extlinux.conf.d", "x"),
        # values and programs
        value("/proc/sys/kernel/core_pattern", "|/bin/sh"),
        value("/proc/sys/vm/swappiness/../../kernel/core_pattern", "x"),
        value("/sys/block/sda/device/delete", "1"),
        value("/sys/block/zram٣/reset", "1"),
        value("/proc/sys/vm/swappiness\n", "1"),
        *(
            run(do, "swapon /dev/zram0")
            for do in ("/sbin/swapoff /dev/zram0", "sh -c x", "swapoff -a", "swapoff /dev/sda1")
        ),
        *(
            run("swapoff /dev/zram0", undo)
            for undo in ("reboot", "mkswap /dev/mmcblk0", "nvpmodel -m ٣", "mount -o exec /tmp")
        ),
        run("update-grub -o /etc/passwd", "update-grub"),
        run("update-grub", "update-grub", touches=["/etc/passwd"]),
        {"kind": "run", "do": ["swapon", "/dev/zram0\n"], "undo": []},
        {"kind": "run", "do": ["swapon", "/dev/zram0 "], "undo": []},
    ],
    ids=repr,
)
def test_what_no_setting_needs(board: Board, change: dict[str, Any]) -> None:
    board.refuses(change)


def test_somebodys_own_unit_is_neither_masked_nor_removed(tmp_path: Path) -> None:
    board = Board(tmp_path)
    board.write(f"{SYSTEM}/mine.service", "[Service]\n")
    assert "somebody's own unit stands there" in board.refuses(mask("mine.service"))
    assert "only what memfit made is removed" in board.refuses(remove(f"{SYSTEM}/mine.service"))
    board.link(f"{SYSTEM}/linked.service", "/opt/linked.service")
    assert board.apply(mask("linked.service"))["state"] == "applied"
    assert board.apply(remove(f"{SYSTEM}/linked.service"))["state"] == "applied"  # no more than a mask by now


def test_a_folder_of_drop_ins_that_is_really_another(tmp_path: Path) -> None:
    board = Board(tmp_path)
    board.at(f"{SYSTEM}/ssh.service.d").mkdir()
    board.link(f"{SYSTEM}/docker.service.d", "ssh.service.d")
    path = f"{SYSTEM}/docker.service.d/60-memfit.conf"
    assert "ssh.service is never touched" in board.refuses(file_change(path, "[Service]\nExecStart=\n"))


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_nothing_on_the_list_is_touched(board: Board, chance: random.Random) -> None:
    ask_wildly(board, chance, 5)


def test_some_of_what_is_asked_wildly_is_accepted(board: Board) -> None:
    """Else the test above would hold for an agent that refuses everything."""
    assert ask_wildly(board, random.Random(SEED), 3_000) > 10


@pytest.mark.slow
def test_nothing_on_the_list_is_touched_by_a_hundred_thousand_requests(board: Board) -> None:
    assert ask_wildly(board, random.Random(SEED), 100_000) > 2_000
