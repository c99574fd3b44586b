"""Changes of files, made together or not at all, and taken back to the byte."""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from board import CMDLINE, SYSCTL, SYSTEM, Board, file_change, mask, remove

from memfit.agent import journal as journal_module
from memfit.agent import nodes
from memfit.agent.journal import Journal
from memfit.agent.tree import Tree

MODPROBE = "/etc/modprobe.d/60-memfit.conf"
JOURNALD = "/etc/systemd/journald.conf.d/60-memfit.conf"


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


def everything(board: Board) -> list[dict[str, Any]]:
    """A change of every kind of node, after what they need was put there."""
    board.write(MODPROBE, "options a b=1\n", 0o600)
    link = board.link(f"{SYSTEM}/cups.service", "/opt/cups/cups.service")
    os.utime(link, ns=(5, 5), follow_symlinks=False)
    cmdline = board.at(CMDLINE)
    os.utime(cmdline, ns=(0, 0))
    with suppress(OSError):  # a file system without: the rest is compared
        os.setxattr(cmdline, "user.memfit", b"\xff\0")
    if os.geteuid() == 0:
        os.chown(cmdline, 1000, 1001)
        os.lchown(link, 1000, 1001)
        cmdline.chmod(0o4640)
    return [
        file_change(CMDLINE, "quiet splash\n"),
        file_change(JOURNALD, "[Journal]\n", mode=0o640),
        remove(MODPROBE),
        mask("docker.service"),
        mask("cups.service"),
    ]


def test_an_interrupted_one_without_a_plan_says_what_to_do(board: Board) -> None:
    """It is in the way of every later change, until somebody has looked after it."""
    receipt = board.apply(file_change(CMDLINE, "splash\n"))
    plan = board.journal(receipt, "plan.json")
    there = plan.parent.rename(plan.parent.with_suffix(".open"))
    for damage in (lambda: (there / "plan.json").write_bytes(b"{}"), (there / "plan.json").unlink):
        damage()
        for action, changes in (("apply", [file_change(CMDLINE, "")]), ("undo", None)):
            failure = board.fails(action, **({"changes": changes} if changes else {}))
            assert "plan.json" in failure["message"]
            assert f"{receipt['id']}.open/before-*" in failure["hint"]
            assert f"then move /var/lib/memfit/journal/{receipt['id']}.open away" in failure["hint"]
    there.rename(board.root / "away")
    assert board.apply(file_change(CMDLINE, ""))["state"] == "applied"


def test_apply_makes_all_of_it_and_undo_takes_all_of_it_back(board: Board) -> None:
    changes = everything(board)
    before = board.seen()
    receipt = board.apply(*changes)
    assert receipt["state"] == "applied"
    assert board.at(CMDLINE).read_text() == "quiet splash\n"
    assert board.at(CMDLINE).stat().st_mode & 0o777 == 0o640
    assert board.at(JOURNALD).stat().st_mode & 0o777 == 0o640
    assert not board.at(MODPROBE).exists()
    for unit in ("docker", "cups"):
        assert board.at(f"{SYSTEM}/{unit}.service").readlink() == Path("/dev/null")
    assert not [path for path in board.seen() if ".memfit-" in path]
    assert board.undo(receipt["id"])["state"] == "undone"
    assert board.seen() == before
    assert board.fails("undo", id=receipt["id"])["message"] == f"{receipt['id']} is undone already"


def test_a_receipt_says_what_was_done_and_not_what_files_held(board: Board) -> None:
    receipt = board.apply({**file_change(CMDLINE, "secret\n"), "why": "faster"})
    (step,) = receipt["steps"]
    assert (step["path"], step["why"], step["number"], step["kind"]) == (CMDLINE, "faster", 0, "node")
    assert "content" not in step
    assert "c2VjcmV0" not in str(receipt)
    assert {"id", "machine", "boot_id", "made", "about", "schema_version"} <= set(receipt)
    (told,) = board.ask("status")["ok"]["receipts"]
    assert told == {**receipt, "drift": []}


def test_what_is_so_already_gives_no_receipt(board: Board) -> None:
    changes = everything(board)
    board.apply(*changes)
    seen = board.seen()
    again = board.apply(*changes)
    assert (again["id"], again["state"], again["steps"]) == (None, "nothing to do", [])
    assert board.seen() == seen
    assert len(board.ask("status")["ok"]["receipts"]) == 1
    assert board.apply()["id"] is None


def test_folders_that_were_made_go_again_unless_something_is_in_them(board: Board) -> None:
    receipt = board.apply(file_change(JOURNALD, ""), file_change(SYSCTL, ""))
    board.write("/etc/sysctl.d/mine.conf", "vm.swappiness=1\n")
    board.undo(receipt["id"])
    assert not board.at(JOURNALD).parent.exists()
    assert [path.name for path in board.at(SYSCTL).parent.iterdir()] == ["mine.conf"]


def test_what_memfit_itself_changed_later_is_nobodys_edit(board: Board) -> None:
    first, second, third = (board.apply(file_change(SYSCTL, text))["id"] for text in ("a\n", "b\n", "c\n"))
    drifts = [told["drift"] for told in board.ask("status")["ok"]["receipts"]]
    assert drifts == [[], [], []]
    for earlier in (first, second):
        assert board.fails("undo", id=earlier)["hint"] == f"undo {third} first"
    board.write(SYSCTL, "mine\n")
    drifts = [told["drift"] for told in board.ask("status")["ok"]["receipts"]]
    assert [len(drift) for drift in drifts] == [0, 0, 1]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_folder_that_two_share_goes_with_the_last_of_them(board: Board, order: tuple[int, int]) -> None:
    before = board.seen()
    folder = f"{SYSTEM}/swap.target.wants"
    links = (f"{folder}/memfit-zram.service", f"{folder}/swap.memfit.swap")
    made = [board.apply({"kind": "link", "path": path, "target": f"../{Path(path).name}"}) for path in links]
    for number in order:
        assert board.at(folder).is_dir()
        board.undo(made[number]["id"])
    assert board.seen() == before
    board.at(folder).mkdir()  # somebody's own by now
    board.undo(board.apply({"kind": "link", "path": links[0], "target": "../memfit-zram.service"})["id"])
    assert board.at(folder).is_dir()


def test_an_edit_since_is_shown_and_kept(board: Board) -> None:
    receipt = board.apply(file_change(CMDLINE, "quiet\nsplash\n"), mask("docker.service"), file_change(JOURNALD, "a\n"))
    board.write(CMDLINE, "quiet\nnoisy\n", 0o640)
    seen = board.seen()
    failure = board.fails("undo", id=receipt["id"])
    assert failure["kind"] == "drift"
    assert failure["message"] == f"{CMDLINE}: somebody changed it since {receipt['id']} was applied"
    assert failure["diff"].splitlines() == [
        f"--- {CMDLINE} (applied)",
        f"+++ {CMDLINE} (now)",
        "@@ -1,2 +1,2 @@",
        " quiet",
        "-splash",
        "+noisy",
    ]
    assert board.seen() == seen  # nothing else was touched either
    assert board.states() == {"applied"}
    (told,) = board.ask("status")["ok"]["receipts"]
    assert [one["message"] for one in told["drift"]] == [failure["message"]]


@pytest.mark.parametrize(
    ("edit", "shown"),
    [
        (lambda file: file.chmod(0o604), "+a file of mode 0604"),
        (lambda file: file.unlink(), "+nothing"),
        (lambda file: (file.unlink(), file.symlink_to("/x")), "+a link to /x"),
        (lambda file: (file.unlink(), file.mkdir()), "+a folder"),
        (lambda file: file.write_text("line\n" * 99), "… 43 more lines"),
    ],
    ids=["mode", "gone", "link", "folder", "long"],
)
def test_every_kind_of_edit_is_seen(board: Board, edit: Any, shown: str) -> None:
    receipt = board.apply(file_change(CMDLINE, "splash\n"))
    edit(board.at(CMDLINE))
    failure = board.fails("undo", id=receipt["id"])
    assert failure["kind"] == "drift"
    assert shown in failure["diff"]


def test_what_was_put_back_by_hand_is_no_edit(board: Board) -> None:
    receipt = board.apply(file_change(CMDLINE, "splash\n"), mask("docker.service"))
    board.write(CMDLINE, "quiet\n", 0o640)
    board.undo(receipt["id"])
    assert not board.at(f"{SYSTEM}/docker.service").is_symlink()


def test_two_changes_of_one_file_are_undone_the_newest_first(board: Board) -> None:
    before = board.seen()
    older, newer = (board.apply(file_change(CMDLINE, text)) for text in ("one\n", "two\n"))
    failure = board.fails("undo", id=older["id"])
    assert failure["kind"] == "drift"
    assert newer["id"] in failure["message"]
    assert failure["hint"] == f"undo {newer['id']} first"
    board.undo()
    board.undo(older["id"])
    assert board.seen() == before


def test_there_and_back_again_is_still_two_changes(board: Board) -> None:
    """The file is as before the older one: undoing that does nothing, and then the newer one would bring it back."""
    before = board.seen()
    older = board.apply(file_change(SYSCTL, "a\n"))
    board.apply(remove(SYSCTL))
    assert board.fails("undo", id=older["id"])["kind"] == "drift"
    board.undo()
    board.undo()
    assert board.seen() == before
    assert board.fails("undo")["message"] == "nothing is applied here"


def test_a_newer_one_that_is_damaged_holds_up_no_other(board: Board) -> None:
    older, newer = board.apply(file_change(CMDLINE, "one\n")), board.apply(mask("docker.service"))
    board.journal(newer, "plan.json").write_text("")
    assert board.undo(older["id"])["state"] == "undone"


def test_a_clock_that_goes_backwards_confuses_nobody(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter((5_000.0, 3_000.0, 1.0))
    monkeypatch.setattr(time, "time", lambda: next(times))
    receipts = [board.apply(file_change(CMDLINE, text)) for text in ("one\n", "two\n", "three\n")]
    assert [receipt["made"] for receipt in receipts] == [5_000.0, 3_000.0, 1.0]
    for receipt in reversed(receipts):
        assert board.undo()["id"] == receipt["id"]
    assert board.at(CMDLINE).read_text() == "quiet\n"


@pytest.mark.parametrize("damaged", [b"", b"{}", None])
@pytest.mark.parametrize("name", ["plan.json", "before-0"])
def test_a_damaged_journal_is_named_and_nothing_is_done(board: Board, damaged: bytes | None, name: str) -> None:
    receipt = board.apply(file_change(CMDLINE, "splash\n"), mask("docker.service"))
    file = board.journal(receipt, name)
    file.write_bytes(file.read_bytes()[:-1] if damaged is None else damaged)
    seen = board.seen()
    failure = board.fails("undo", id=receipt["id"])
    assert failure["kind"] == "undo"
    assert failure["message"].startswith(f"/var/lib/memfit/journal/{receipt['id']}.applied/{name}: ")
    assert board.seen() == seen
    (told,) = board.ask("status", recover=True)["ok"]["receipts"]
    assert told["id"] == receipt["id"]
    assert [one["message"] for one in told["drift"]] == ([failure["message"]] if name == "plan.json" else [])


def test_a_receipt_of_another_machine_is_refused(board: Board) -> None:
    receipt = board.apply(file_change(CMDLINE, "splash\n"))
    board.write("/etc/machine-id", "f" * 32)
    failure = board.fails("undo")
    assert failure["kind"] == "refused"
    assert f"{receipt['id']}.applied: this receipt is of another machine" in failure["message"]


def test_an_image_is_undone_where_it_was_booted(board: Board) -> None:
    board.write("/etc/machine-id", "uninitialized\n")
    receipt = board.apply(file_change(CMDLINE, "splash\n"))
    assert receipt["machine"] == "unknown"
    board.write("/etc/machine-id", "f" * 32)
    assert board.undo()["state"] == "undone"


def test_one_at_a_time(board: Board) -> None:
    with Journal(Tree(str(board.root))).lock():
        assert board.refuses(mask("docker.service"), kind="busy").startswith("/var/lib/memfit/journal/lock")
        assert board.fails("undo")["kind"] == "busy"
        assert "ok" in board.ask("status")  # to look needs no turn


@pytest.mark.parametrize(("error", "kind"), [(errno.EROFS, "apply"), (errno.EACCES, "root"), (errno.ENOSPC, "apply")])
def test_a_target_that_cannot_be_written_is_named(
    board: Board, error: int, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def refusing(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if flags & os.O_CREAT and ".cmdline.memfit-" in str(path):
            raise OSError(error, os.strerror(error))
        return real(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", refusing)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    message = board.refuses(file_change(JOURNALD, ""), file_change(CMDLINE, "splash\n"), kind=kind)
    assert message == f"{CMDLINE}: {os.strerror(error)}"
    assert board.states() == set()


def test_a_root_that_cannot_be_written_is_named(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "mkdir", refusing)
    assert board.refuses(mask("docker.service"), kind="apply") == "/var/lib/memfit/journal: Read-only file system"


def test_without_hard_links_there_are_copies(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, "no such thing here")

    monkeypatch.setattr(os, "link", refused)
    changes = everything(board)
    before = board.seen()
    board.apply(*changes)
    board.undo()
    assert board.seen() == before
    rename, names = os.rename, []  # where it fails half-way, they are what it goes back to

    def failing(old: Any, new: Any, **named: Any) -> None:
        names.append(new)
        if new == "docker.service":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        rename(old, new, **named)

    monkeypatch.setattr(os, "rename", failing)
    assert f"{SYSTEM}/docker.service: " in board.refuses(*changes, kind="apply")
    assert "cmdline" in names  # it had come that far
    assert board.seen() == before


def test_somebody_changes_a_target_this_very_moment(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was made of the others by then is taken back, and theirs is kept."""
    put = nodes.Nodes.put

    def meddled(self: nodes.Nodes, step: dict[str, Any], entry: Any) -> None:
        if step["path"] == MODPROBE:
            board.write(MODPROBE, "theirs\n")
        put(self, step, entry)

    monkeypatch.setattr(nodes.Nodes, "put", meddled)
    changes = everything(board)
    before = board.seen()
    failure = board.fails("apply", changes=changes)
    assert (failure["kind"], failure["message"]) == ("drift", f"{MODPROBE}: somebody changed it this very moment")
    assert board.at(MODPROBE).read_text() == "theirs\n"
    inside = MODPROBE[1:]
    assert {**board.seen(), inside: 0} == {**before, inside: 0}
    assert board.states() == {"undone"}


def test_what_is_undone_is_kept_for_a_while(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "_KEPT_UNDONE", 3)
    for number in range(5):
        board.apply(file_change(CMDLINE, str(number)))
        board.undo()
    told = board.ask("status")["ok"]["receipts"]
    assert [receipt["id"][:4] for receipt in told] == ["0003", "0004", "0005"]
