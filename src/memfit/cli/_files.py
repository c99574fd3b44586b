"""Files for people, written whole or not at all."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path

from memfit.errors import MemfitError


def write_files(files: Iterable[tuple[str, str | bytes]]) -> None:
    """Write every file, or none where one of them cannot be written.

    A link is followed and stays one. What is no regular file (a pipe, a terminal, ``/dev/null``) is written to and
    never replaced.

    Raises:
        MemfitError: one of them cannot be written; none has been replaced.
    """
    staged: list[tuple[Path, Path]] = []
    direct: list[tuple[str, bytes]] = []
    try:
        for name, content in files:
            data = content.encode() if isinstance(content, str) else content
            with _complaining(name):
                if _is_special(name):
                    direct.append((name, data))
                else:
                    target = Path(os.path.realpath(name))
                    staged.append((_stage(target, data, len(staged)), target))
        for name, data in direct:
            with _complaining(name), open(name, "ab") as file:
                file.write(data)
        for temporary, target in staged:
            with _complaining(str(target)):
                temporary.replace(target)
    finally:
        for temporary, _ in staged:
            temporary.unlink(missing_ok=True)


class _complaining:  # noqa: N801  reads as a phrase
    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, failure: object, trace: object) -> None:
        if isinstance(failure, BrokenPipeError):
            return  # the reader of a pipe went away, which is no mistake
        if isinstance(failure, OSError):
            raise MemfitError(
                f"cannot write {self.name}: {failure.strerror}", hint="choose another place, or free some space there"
            ) from failure


def _is_special(name: str) -> bool:
    """Whether it is there and neither a regular file nor a folder; links into /dev and /proc are open files."""
    if name.startswith(("/dev/", "/proc/")):
        return True
    try:
        mode = Path(name).stat().st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(0, "it is a folder")
    return not stat.S_ISREG(mode)


def _stage(target: Path, data: bytes, number: int) -> Path:
    # a name of its own: the target's may be as long as the file system allows
    temporary = target.with_name(f".memfit-{os.getpid()}-{number}")
    try:
        temporary.write_bytes(data)
        if target.exists():
            shutil.copymode(target, temporary)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return temporary
