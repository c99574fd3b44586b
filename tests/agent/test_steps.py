"""What was asked for as steps: what differs, what is odd, and what is not where it seems to be."""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from board import CMDLINE, SWAPPINESS, SYSCTL, SYSTEM, Board, file_change, mask, remove, run, stop, value

from memfit.agent import boot, nodes, request

JOURNALD = "/etc/systemd/journald.conf.d/60-memfit.conf"
GOOD = (
    file_change(SYSCTL, "vm.swappiness=1\n", mode=0o644, expects=None),
    mask("docker.service"),
    remove(JOURNALD),
    stop("docker.service"),
    value(SWAPPINESS, "10"),
    run("swapoff /dev/zram0", "swapon /dev/zram0", touches=[], lasting=False),
    {"kind": "space", "path": "/swap.memfit", "bytes": 8192},
)
ODD: tuple[Any, ...] = (None, True, 1, 1.5, "", "\0", "a\nb", "\udcff", [], [1], [[]], [""], {}, {"a": 1}, -1, 1 << 70)


@pytest.fixture
def board(tmp_path: Path) -> Board:
    made = Board(tmp_path)
    made.machine.values[SWAPPINESS] = "60"
    made.machine.swaps = {"/dev/zram0"}
    return made


def test_only_what_differs_becomes_steps(board: Board) -> None:
    board.write(SYSCTL, "vm.swappiness=1\n")
    receipt = board.apply(*GOOD)
    assert [(step["kind"], step["number"]) for step in receipt["steps"]] == [
        ("node", 0),
        ("unit", 1),
        ("value", 2),
        ("run", 3),
        ("space", 4),
    ]


def test_folders_that_are_missing_come_first_and_once(board: Board) -> None:
    drop_ins = [file_change(f"{SYSTEM}/{unit}.service.d/60-memfit.conf", "[Service]\n") for unit in ("cups", "docker")]
    board.at(SYSTEM).rmdir()
    receipt = board.apply(*drop_ins, mask("snapd.service"))
    assert [step["path"] for step in receipt["steps"] if step["after"]["kind"] == "folder"] == [
        SYSTEM,
        f"{SYSTEM}/cups.service.d",
        f"{SYSTEM}/docker.service.d",
    ]
    assert board.at(f"{SYSTEM}/cups.service.d").stat().st_mode & 0o777 == 0o755
    board.undo()
    assert not board.at(SYSTEM).exists()


def test_a_mode_stays_unless_another_is_asked_for(board: Board) -> None:
    before = board.seen()
    board.apply(file_change(CMDLINE, "splash\n"))
    assert board.at(CMDLINE).stat().st_mode & 0o777 == 0o640
    receipt = board.apply(file_change(CMDLINE, "splash\n", mode=0o600))  # that alone is a change too
    assert receipt["steps"][0]["before"]["mode"] == 0o640
    board.undo()
    board.undo()
    assert board.seen() == before


def test_content_that_changed_since_it_was_read_is_not_overwritten(board: Board) -> None:
    read = hashlib.sha256(b"quiet\n").hexdigest()
    assert board.refuses(file_change(CMDLINE, "splash\n", expects="0" * 64), kind="drift") == (
        f"{CMDLINE}: it changed since it was read"
    )
    assert board.refuses(file_change(JOURNALD, "", expects=read), kind="drift").startswith(JOURNALD)
    assert board.apply(file_change(CMDLINE, "splash\n", expects=read))["state"] == "applied"


def test_content_that_changes_while_it_is_read_is_not_overwritten(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = nodes.Nodes.contents

    def meddled(self: nodes.Nodes, steps: list[dict[str, Any]]) -> dict[int, bytes]:
        board.write(CMDLINE, "theirs\n")
        return contents(self, steps)

    monkeypatch.setattr(nodes.Nodes, "contents", meddled)
    failure = board.fails("apply", changes=[file_change(CMDLINE, "splash\n"), mask("docker.service")])
    assert (failure["kind"], failure["message"]) == ("drift", f"{CMDLINE}: somebody changed it this very moment")
    assert board.at(CMDLINE).read_text() == "theirs\n"
    assert not board.at(f"{SYSTEM}/docker.service").is_symlink()
    assert board.states() == set()  # it was not even begun


def test_what_undo_could_not_keep_is_not_changed(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "MOST_BYTES", 6)
    assert board.refuses(file_change(CMDLINE, "")) == f"{CMDLINE}: it is too long to be kept for undo"
    monkeypatch.setattr(request, "MOST_BYTES", 6)
    assert "'content' is in base64" in board.refuses(file_change(SYSCTL, "123456"))


def a_folder(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("make", [a_folder, a_pipe])
@pytest.mark.parametrize("change", [file_change(SYSCTL, ""), mask("cups.service"), remove(SYSCTL)])
def test_what_is_no_file_is_left_alone(board: Board, make: Callable[[Path], None], change: dict[str, Any]) -> None:
    there = board.at(change["path"])
    there.parent.mkdir(exist_ok=True)
    make(there)
    assert change["path"] in board.refuses(change)


def test_a_link_on_the_way_is_followed_and_judged_by_its_end(board: Board) -> None:
    board.at("/etc/systemd/real.conf.d").mkdir()
    board.link("/etc/systemd/journald.conf.d", "real.conf.d")
    assert board.refuses(file_change(JOURNALD, "")) == (
        f"{JOURNALD} leads to /etc/systemd/real.conf.d/60-memfit.conf: "
        "'/etc/systemd/real.conf.d/60-memfit.conf' is not a file that memfit changes"
    )
    board.link("/etc/systemd/oomd.conf.d", "../sysctl.d")
    board.at(SYSCTL).parent.mkdir()
    oomd = "/etc/systemd/oomd.conf.d/60-memfit.conf"
    assert board.apply(file_change(oomd, "[OOM]\n"))["steps"][0]["path"] == SYSCTL
    # two names of one file are one file
    assert board.refuses(file_change(oomd, "a\n"), file_change(SYSCTL, "b\n")) == (
        f"{SYSCTL}: two changes of it in one transaction"
    )


@pytest.mark.parametrize("target", ["/etc/passwd", "../passwd", "/dev/null", "60-other.conf"])
def test_a_file_that_is_a_link_elsewhere_is_not_written_through(board: Board, target: str) -> None:
    passwd = board.write("/etc/passwd", "root::0:0\n")
    board.write("/etc/sysctl.d/60-other.conf", "theirs\n")
    board.write("/dev/null", "no device here\n")
    board.link(SYSCTL, target)
    assert board.refuses(file_change(SYSCTL, "x\n")).startswith(f"{SYSCTL} leads to ")
    assert passwd.read_text() == "root::0:0\n"


@pytest.mark.parametrize("target", ["{outside}", "../../../../../../../../../..{outside}"])
def test_a_folder_that_is_a_link_out_of_the_root_is_not_followed(board: Board, tmp_path: Path, target: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "60-memfit.conf").write_text("not yours\n")
    board.link("/etc/sysctl.d", target.format(outside=outside))
    assert board.refuses(file_change(SYSCTL, "x\n"), kind="apply") == f"{SYSCTL}: No such file or directory"
    assert board.apply(remove(SYSCTL))["state"] == "nothing to do"
    (board.root / str(outside)[1:]).mkdir(parents=True)  # what the link leads to, inside
    assert board.refuses(file_change(SYSCTL, "x\n")).startswith(f"{SYSCTL} leads to {outside}/60-memfit.conf")
    assert [path.read_text() for path in outside.iterdir()] == ["not yours\n"]


def test_a_link_to_nowhere_is_replaced_and_comes_back(board: Board) -> None:
    board.link(SYSCTL, "/run/nowhere")
    before = board.seen()
    board.apply(file_change(SYSCTL, "x\n"))
    assert not board.at(SYSCTL).is_symlink()
    board.undo()
    assert board.seen() == before


def test_links_in_a_circle_are_named(board: Board) -> None:
    board.link("/etc/sysctl.d", "sysctl.e")
    board.link("/etc/sysctl.e", "sysctl.d")
    assert board.refuses(file_change(SYSCTL, ""), kind="apply") == f"{SYSCTL}: Too many levels of symbolic links"


def test_one_thing_is_changed_once(board: Board) -> None:
    twice = (mask("docker.service"), {**mask("docker.service"), "why": "another knob wants it too"})
    receipt = board.apply(*twice, stop("docker.service"), stop("docker.service"))
    assert len(receipt["steps"]) == 2
    board.undo()
    for one, two in (
        (file_change(SYSCTL, "a"), file_change(SYSCTL, "b")),
        (file_change(SYSCTL, "a"), remove(SYSCTL)),
        (stop("docker.service"), stop("docker.service", active=True)),
        (value(SWAPPINESS, "1"), value(SWAPPINESS, "60")),
    ):
        assert "two changes of it in one transaction" in board.refuses(one, two)


def test_the_longest_name_of_a_unit(board: Board) -> None:
    unit = "u" * (255 - len(".service")) + ".service"
    board.link(f"{SYSTEM}/{unit}", f"/opt/{unit}")
    before = board.seen()
    board.apply(mask(unit))
    assert board.at(f"{SYSTEM}/{unit}").readlink() == Path("/dev/null")
    board.undo()
    assert board.seen() == before
    assert "File name too long" in board.refuses(mask("u" + unit), kind="apply")


@pytest.mark.parametrize("number", range(len(GOOD)))
def test_a_change_that_lacks_something_is_named(board: Board, number: int) -> None:
    good = GOOD[number]
    for field in good:
        if field in ("mode", "expects", "touches", "lasting"):
            continue  # may be left out
        message = board.refuses(GOOD[0], {name: other for name, other in good.items() if name != field})
        assert message.startswith("change 2")
        assert repr(field) in message


@pytest.mark.parametrize("number", range(len(GOOD)))
def test_a_change_with_something_odd_in_it_is_refused_or_harmless(board: Board, number: int) -> None:
    """Never a traceback: ``answer`` would let it through, and this test would end with it."""
    good = GOOD[number]
    before = board.seen()
    for field in good:
        for odd in ODD:
            board.machine.swaps = {"/dev/zram0"}
            told = board.ask("apply", changes=[{**good, field: odd}])
            json.dumps(told)
            if "failure" in told:
                assert told["failure"]["kind"] in ("refused", "drift")
                assert board.seen() == before
            elif told["ok"]["receipt"]["id"]:
                board.undo()


@pytest.mark.parametrize("field", ["fallback", "original", "expects", ""])
def test_a_trial_with_something_odd_in_it_is_refused_or_harmless(
    board: Board, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boot, "settle", lambda: None)
    before, good = board.seen(), {"fallback": "YQ==", "original": "primary", "expects": {"memfit.boot": "1"}}
    for odd in (good, *ODD):
        trial = {**good, field: odd} if field else odd
        told = board.ask("apply", changes=[file_change("/boot/extlinux/extlinux.conf", "x", trial=trial)])
        if "failure" in told:
            assert told["failure"]["kind"] == "refused"
        else:
            board.undo()
        assert board.seen() == before


@pytest.mark.parametrize("mode", [True, -1, 0o1000, 0o4755, 420.0, "0644"])
def test_no_mode_gives_more_than_permissions(board: Board, mode: Any) -> None:
    assert "'mode' is permissions" in board.refuses(file_change(SYSCTL, "", mode=mode))


@pytest.mark.parametrize("content", ["*", "YQ", "YQ==\n", "YQ== ", "é", 7, None])
def test_content_is_base64_and_nothing_else(board: Board, content: Any) -> None:
    assert "'content' is in base64" in board.refuses({"kind": "file", "path": SYSCTL, "content": content})


@pytest.mark.parametrize("changes", [None, {}, "x", 7, [None], ["file"], [[]], [{"kind": ["file"]}], [{"kind": {}}]])
def test_what_is_no_list_of_changes_is_refused(board: Board, changes: Any) -> None:
    failure = board.fails("apply", changes=changes)
    assert failure["kind"] == "refused"
    assert "change" in failure["message"]


def test_any_json_is_answered(board: Board) -> None:
    chance, before = random.Random(20_260_401), board.seen()
    values: list[Any] = [*ODD, *GOOD, "file", "link", "unit", "run", "path", "kind", SYSCTL, "docker.service"]

    def anything(depth: int) -> Any:
        if depth == 0 or chance.random() < 0.4:
            return chance.choice(values)
        if chance.random() < 0.5:
            return [anything(depth - 1) for _ in range(chance.randint(0, 3))]
        names = ("kind", "path", "content", "unit", "do", "undo", "active", "text", "target", "x")
        return {chance.choice(names): anything(depth - 1) for _ in range(chance.randint(0, 5))}

    for _ in range(300):
        told = board.ask("apply", changes=anything(4), about=chance.choice(({}, None)))
        if "ok" in told and told["ok"]["receipt"]["id"]:
            board.undo()
    assert board.seen() == before
