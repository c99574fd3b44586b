"""Files below a root: what is there, what is made of it, and that no link leads out."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from memfit.agent.tree import ABSENT, Node, Tree

MINE = (os.geteuid(), os.getegid())
IS_ROOT = os.geteuid() == 0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "etc").mkdir(parents=True)
    return folder


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "file").write_text("not yours")
    return folder


def like(mode: int = 0o644, **more: Any) -> Node:
    return Node("file", mode=mode, uid=MINE[0], gid=MINE[1], **more)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_node_is_what_is_there(root: Path) -> None:
    tree = Tree(str(root))
    (root / "etc/a").write_text("a")
    (root / "etc/a").chmod(0o604)
    os.utime(root / "etc/a", ns=(7, 7))
    (root / "etc/l").symlink_to("nowhere")
    os.mkfifo(root / "etc/p")
    digest = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    assert tree.node("/etc/a")[:7] == ("file", digest, "", 0o604, *MINE, 7)
    assert tree.node("/etc/l")[:6] == ("link", "", "nowhere", 0, *MINE)
    assert tree.node("/etc").kind == "folder"
    assert tree.node("/etc/p").kind == "other"
    assert tree.node("/etc/none") == tree.node("/none/none") == tree.node("/etc/a/below") == ABSENT


def test_what_is_written_is_whole(root: Path) -> None:
    tree, wanted = Tree(str(root)), like(0o640, mtime_ns=1_000_000_007)
    tree.write("/etc/a", b"new", wanted)
    assert (root / "etc/a").read_bytes() == b"new"
    assert tree.node("/etc/a")._replace(sha256="") == wanted
    tree.write("/etc/a", b"newer", like(0))
    assert (root / "etc/a").stat().st_mode & 0o777 == 0
    before_1970 = like(mtime_ns=-1)
    for time in (0, before_1970.mtime_ns):  # images have files of the first second, and they stay of it
        tree.write("/etc/a", b"", like(mtime_ns=time))
        assert (root / "etc/a").stat().st_mtime_ns == time


def test_the_umask_does_not_matter(root: Path) -> None:
    tree, was = Tree(str(root)), os.umask(0o077)
    try:
        tree.write("/etc/a", b"", like(0o666))
        tree.make_folder("/etc/d", 0o775)
    finally:
        os.umask(was)
    assert (root / "etc/a").stat().st_mode & 0o777 == 0o666
    assert (root / "etc/d").stat().st_mode & 0o777 == 0o775


@pytest.mark.skipif(not IS_ROOT, reason="only root gives files away")
def test_owners_are_kept(root: Path) -> None:
    tree = Tree(str(root))
    tree.write("/etc/a", b"", like(0o4755)._replace(uid=12, gid=34))
    tree.link("/etc/l", "/dev/null", Node("link", uid=12, gid=34))
    for name in ("a", "l"):
        there = (root / "etc" / name).lstat()
        assert (there.st_uid, there.st_gid) == (12, 34)
    assert (root / "etc/a").stat().st_mode & 0o7777 == 0o4755  # which a change of owner takes away


def test_attributes_are_kept(root: Path) -> None:
    source = root / "etc/source"
    source.write_text("x")
    try:
        os.setxattr(source, "user.memfit", b"\0\xff")
    except OSError:
        pytest.skip("this file system keeps no attributes")
    tree = Tree(str(root))
    tree.write("/etc/a", b"x", tree.node("/etc/source"))
    assert os.getxattr(root / "etc/a", "user.memfit") == b"\0\xff"


def test_one_that_has_its_mode_is_whole(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill between two calls leaves no file that looks like the one it should become."""
    tree, done, seen = Tree(str(root)), like(0o600, mtime_ns=5), []

    def look(name: str) -> Any:
        real = getattr(os, name)

        def looked(*arguments: Any, **named: Any) -> Any:
            if (root / "etc/a").exists():
                there = (root / "etc/a").lstat()
                seen.append((there.st_mode & 0o777, there.st_size, there.st_mtime_ns))
            return real(*arguments, **named)

        return looked

    for name in ("write", "fchown", "utime", "fchmod", "fsync"):
        monkeypatch.setattr(os, name, look(name))
    tree.write("/etc/a", b"all", done)
    assert len(seen) >= 4
    assert {(size, time) for mode, size, time in seen if mode == 0o600} == {(3, 5)}


def test_half_a_file_is_none(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="full"):
        Tree(str(root)).write("/etc/a", b"x", like())
    assert names(root / "etc") == []


def test_no_link_leads_out_of_the_root(root: Path, outside: Path) -> None:
    tree = Tree(str(root))
    for number, target in enumerate((str(outside), "../../outside", f"..//{'../' * 30}{outside}")):
        name = f"/etc/out{number}"
        (root / name[1:]).symlink_to(target)
        assert tree.node(f"{name}/file") == ABSENT
        with pytest.raises(OSError, match="No such file"):
            tree.write(f"{name}/new", b"", like())
        with pytest.raises(OSError, match="No such file"):
            tree.make_folder(f"{name}/new")
        tree.remove(f"{name}/file")
    assert {path.name: path.read_text() for path in outside.iterdir()} == {"file": "not yours"}


def test_a_link_itself_is_replaced_and_removed(root: Path, outside: Path) -> None:
    tree = Tree(str(root))
    (root / "etc/l").symlink_to(outside / "file")
    tree.write("/etc/l", b"new", like())
    assert not (root / "etc/l").is_symlink()
    (root / "etc/m").symlink_to(outside / "file")
    tree.link("/etc/m", "elsewhere", Node("link", uid=MINE[0], gid=MINE[1], mtime_ns=11))
    assert ((root / "etc/m").readlink(), (root / "etc/m").lstat().st_mtime_ns) == (Path("elsewhere"), 11)
    tree.remove("/etc/m")
    assert not (root / "etc/m").is_symlink()
    assert (outside / "file").read_text() == "not yours"


def test_the_place_of_a_path_is_known_without_links(root: Path) -> None:
    tree = Tree(str(root))
    (root / "usr/lib").mkdir(parents=True)
    (root / "lib").symlink_to("usr/lib")
    (root / "usr/lib/a").symlink_to("/etc/b")
    (root / "etc/b").write_text("")
    (root / "etc/dangling").symlink_to("/none/x")
    assert tree.real("/lib/a") == "/etc/b"
    assert tree.place("/lib/a") == "/usr/lib/a"
    assert tree.real("/lib/new/deep") == tree.place("/lib/new/deep") == "/usr/lib/new/deep"
    assert tree.real("/etc/dangling") == "/etc/dangling"
    assert tree.real("/") == "/"
    assert tree.place("/x") == "/x"


def test_links_of_a_folder(root: Path) -> None:
    tree = Tree(str(root))
    (root / "etc/f").write_text("")
    (root / "etc/l").symlink_to("../x")
    assert tree.links("/etc") == {"l": "../x"}
    assert tree.links("/etc/f") == tree.links("/none") == {}
    assert tree.names("/etc") == ("f", "l")
    assert tree.names("/etc/f") == ()


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK])
def test_a_file_system_without_second_names(root: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    said = [errno.EIO, number]

    def refused(*_: Any, **__: Any) -> None:
        raise OSError(said[-1], os.strerror(said.pop()))

    tree = Tree(str(root))
    (root / "etc/a").write_text("a")
    assert tree.keep("/etc/a", "/etc/.a")
    assert (root / "etc/.a").samefile(root / "etc/a")
    monkeypatch.setattr(os, "link", refused)
    assert not tree.keep("/etc/a", "/etc/.a")
    assert not (root / "etc/.a").exists()
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):  # which says nothing of second names
        tree.keep("/etc/a", "/etc/.a")


def test_a_link_gets_a_second_name_itself(root: Path) -> None:
    (root / "etc/l").symlink_to("x")
    assert Tree(str(root)).keep("/etc/l", "/etc/.l")
    assert (root / "etc/.l").readlink() == Path("x")


def test_a_folder_goes_only_where_it_holds_nothing(root: Path) -> None:
    tree = Tree(str(root))
    for path in ("/etc/d", "/etc/d/e"):
        tree.make_folder(path)
    (root / "etc/f").write_text("")
    (root / "etc/l").symlink_to("d")
    for path in ("/etc/d", "/etc/f", "/etc/l", "/etc/none"):
        tree.remove_folder(path)
    assert names(root / "etc") == ["d", "f", "l"]
    tree.remove_folder("/etc/d/e")
    tree.remove_folder("/etc/d")
    assert names(root / "etc") == ["f", "l"]


def test_the_longest_names(root: Path) -> None:
    tree, name = Tree(str(root)), "n" * 255
    tree.write(f"/etc/{name}", b"x", like())
    tree.rename(f"/etc/{name}", f"/etc/{'m' * 255}")
    assert names(root / "etc") == ["m" * 255]
    with pytest.raises(OSError, match="too long"):
        tree.write(f"/etc/{name}n", b"", like())
