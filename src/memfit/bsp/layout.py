"""Where a ``Linux_for_Tegra`` tree has the files that decide about a board's memory.

The board's ``.conf`` has the last word, as it has for ``flash.sh``: carriers' makers name files of their own there.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from memfit.bsp._conf import read_conf
from memfit.bsp._failures import unreadable
from memfit.bsp.boards import BSP_BOARDS, BspBoard
from memfit.errors import ProbeError, UsageError
from memfit.units import MIB, format_bytes

_BCT = ("bootloader/generic/BCT", "bootloader/t186ref/BCT")  # since R36; until R35
_INCLUDES = (*_BCT, "bootloader")
_KERNEL_TREES = "kernel/dtb"
_RELEASE = re.compile(r"R(\d+) \(release\), REVISION: ([\d.]+)")
_MOST_BYTES, _MOST_BLOB_BYTES = MIB, 4 * MIB


class Layout(NamedTuple):
    """A board's files in a tree, all of them paths from its top with links followed.

    Attributes:
        mb1, mb2: the boot configurations. includes: folders with what they include.
        kernel: device trees of the kernel for this module. kernel_missing: the one that should be there and is not.
        kernel_named: it is the configuration that says which.
        configuration: the ``.conf`` that names them; empty where the tree has none of this board.
        notes: what of it memfit did not follow.
    """

    root: Path
    board: BspBoard
    release: str | None
    mb1: str
    mb2: str
    includes: tuple[str, ...]
    kernel: tuple[str, ...]
    kernel_missing: str
    kernel_named: bool
    configuration: str
    notes: tuple[str, ...]

    def read(self, file: str) -> bytes:
        """A file's content.

        Raises:
            ProbeError: it cannot be read.
        """
        if (self.root / file).exists() and not (self.root / file).is_file():
            raise ProbeError(f"{self.root / file}: it is no file", hint="take it from the BSP again")
        try:
            with (self.root / file).open("rb") as opened:
                content = opened.read(_MOST_BLOB_BYTES + 1)
        except OSError as error:
            raise unreadable(self.root / file, error) from error
        if len(content) > _MOST_BLOB_BYTES:
            raise ProbeError(
                f"{self.root / file}: it has more than {format_bytes(_MOST_BLOB_BYTES)}, which no device tree has",
                hint="take it from the BSP again",
            )
        return content


def find_root(tree: str) -> Path:
    """The top of a BSP tree.

    Raises:
        UsageError: it is none.
    """
    try:
        root = Path(tree).resolve()
        if (root / "Linux_for_Tegra").is_dir():
            root /= "Linux_for_Tegra"
        if any((root / folder).is_dir() for folder in _BCT):
            return root
        what = "no BSP tree: it has no " + " and no ".join(_BCT) if root.is_dir() else "no such folder"
    except PermissionError as error:
        raise unreadable(tree, error) from error
    except (OSError, ValueError) as error:
        what = str(error)
    raise UsageError(f"{tree}: {what}", hint="name the Linux_for_Tegra folder of an unpacked Jetson Linux")


def find_layout(tree: str, board: str, configuration: str | None = None) -> Layout:
    """Where the tree has the board's files.

    Args:
        tree: the Linux_for_Tegra folder.
        board: a key or alias of ``BSP_BOARDS``.
        configuration: a ``.conf`` of the tree, for a carrier with its own; by default the developer kit's.

    Raises:
        UsageError: it is no BSP tree, or no such board or configuration.
        ProbeError: the tree has no files for this board. NeedsRoot: they may not be read.
    """
    root, found = find_root(tree), BSP_BOARDS.get(board)
    _refuse_closed(root)
    name, assigned, notes = _configured(root, found, configuration)
    includes = tuple(folder for folder in _INCLUDES if (root / folder).is_dir())
    files = [
        _place(root, includes, assigned.get(variable, usual), found)
        for variable, usual in (("MISC_CONFIG", found.mb1), ("MB2_BCT", found.mb2))
    ]
    named = assigned.get("DTB_FILE")
    kernel, missing, more = _kernel(root, found, name, named)
    return Layout(
        root=root,
        board=found,
        release=_release(root),
        mb1=files[0],
        mb2=files[1],
        includes=includes,
        kernel=kernel,
        kernel_missing=missing,
        kernel_named=named is not None,
        configuration=name,
        notes=(*notes, *more),
    )


def includers(layout: Layout, file: str) -> tuple[str, ...]:
    """Other sources beside it that include a file by its name."""
    name = Path(file).name
    written = re.compile(rf'^[ \t]*#[ \t]*include[ \t]+[<"](?:[^>"\n]*/)?{re.escape(name)}[>"]', re.M)
    found = []
    for folder in layout.includes:
        for path in sorted((layout.root / folder).glob("*.dts*")):
            inside = f"{folder}/{path.name}"
            if path.name != name and inside not in (layout.mb1, layout.mb2) and written.search(_text(path)):
                found.append(path.name)
    return tuple(found)


def _configured(root: Path, board: BspBoard, asked: str | None) -> tuple[str, dict[str, str], tuple[str, ...]]:
    """The ``.conf``, what it assigns for this module, and what of it has no effect."""
    names = board.configurations if asked is None else (asked if asked.endswith(".conf") else f"{asked}.conf",)
    name = next((name for name in names if "/" not in name and (root / name).is_file()), None)
    if name is None:
        if asked is not None:
            known = ", ".join(sorted(path.stem for path in root.glob("*.conf"))) or "none"
            raise UsageError(f"{root}: there is no {names[0]}", hint=f"configurations of this tree: {known}")
        return "", {}, ()
    conf = read_conf(root, name, board.module.rpartition("-")[2])
    return name, conf.assigned, conf.notes


def _kernel(root: Path, board: BspBoard, conf: str, named: str | None) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    """The kernel's device trees, what is missing of them, and what else of this module is left as it is.

    The one that the configuration names is flashed; others of the module are not, and stay.
    """
    usual = {path for pattern in board.kernel_trees for path in (root / _KERNEL_TREES).glob(pattern) if path.is_file()}
    if named is None:
        found = tuple(sorted(_inside(root, path.resolve()) for path in usual))
        return found, "" if found else " or ".join(board.kernel_trees), ()
    path = root / _KERNEL_TREES / named
    others = sorted(each.name for each in usual if each.resolve() != path.resolve())
    note = f"{conf} has {named} flashed: {', '.join(others)} of this module stays as it is"
    notes = (note,) if others else ()
    return ((_inside(root, path.resolve()),), "", notes) if path.is_file() else ((), named, notes)


def _place(root: Path, folders: tuple[str, ...], name: str, board: BspBoard) -> str:
    for folder in folders:
        path = root / folder / name
        if path.is_file():
            return _inside(root, path.resolve())
    there = [one.module for one in BSP_BOARDS if any((root / folder / one.mb1).is_file() for folder in folders)]
    known = f"boards of this tree: {', '.join(there)}" if there else "unpack the Driver Package of this board"
    raise ProbeError(f"{root}: it has no {name}, which {board.module} boots with", hint=known)


def _inside(root: Path, path: Path) -> str:
    if not path.is_relative_to(root):
        raise ProbeError(f"{path} is outside of {root}, where memfit changes nothing", hint="copy it into the tree")
    return str(path.relative_to(root))


def _refuse_closed(root: Path) -> None:
    """Folders that may not be read look like empty ones, or like none.

    Raises:
        NeedsRoot: there is one.
    """
    for folder in (*_INCLUDES, _KERNEL_TREES):
        try:
            if (root / folder).is_dir():
                next((root / folder).iterdir(), None)
                (root / folder / "..").stat()  # which may be read and not be entered
        except OSError as error:
            raise unreadable(root / folder, error) from error


def _release(root: Path) -> str | None:
    match = _RELEASE.search(_text(root / "rootfs/etc/nv_tegra_release"))
    return None if match is None else f"{match[1]}.{match[2]}"


def _text(path: Path) -> str:
    try:
        if not path.is_file():  # a pipe would never end
            return ""
        with path.open("rb") as file:
            return file.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
