"""Where calibrations are kept: one JSON file for each machine, engine, version and backend.

``$XDG_DATA_HOME/memfit/calibration/<machine>--<engine>-<version>-<backend>.json``
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

from memfit.errors import UsageError
from memfit.footprint.calibration import Calibration

MOST_BYTES = 16 * 1024**2  # thousands of settings; what is larger is something else
_COMMIT = re.compile(r"(?<![0-9a-z.])[0-9a-f]{7,40}(?![0-9a-z.])")
_PACKAGE = re.compile(r"llama-cpp-python \S+?(?=[),\s]|$)")


def folder() -> Path:
    """Where they lie; a relative ``XDG_DATA_HOME`` is ignored, as its specification asks."""
    root = os.environ.get("XDG_DATA_HOME", "")
    base = Path(root) if root.startswith("/") else Path(os.environ.get("HOME", "/")) / ".local" / "share"
    return base / "memfit" / "calibration"


def file_of(calibration: Calibration) -> Path:
    """The file that this calibration is kept in."""
    version = re.sub(r"[^a-z0-9.]+", "-", calibration.version.lower()).strip("-.") or "unknown"
    return folder() / f"{calibration.machine}--{calibration.engine}-{version}-{calibration.backend}.json"


def find(machine: str, engine: str, version: str, backend: str) -> tuple[Calibration | None, str]:
    """The calibration that holds here, and a warning about one that cannot be read; None where there is none.

    Costs one look into a folder where nothing was ever calibrated.
    """
    prefix, suffix = f"{machine}--{engine}-", f"-{backend}.json"
    try:
        names = sorted(path.name for path in folder().iterdir())
    except OSError:
        return None, ""
    warning = ""
    for name in names:
        if not (name.startswith(prefix) and name.endswith(suffix)):
            continue
        path = folder() / name
        try:
            found = read(path)
        except UsageError as failure:
            warning = f"{failure.message}: nothing is calibrated; {failure.hint}"
            continue
        named = (found.machine, found.engine, found.backend) == (machine, engine, backend)
        if named and same_version(found.version, version):
            return found, ""
    return None, warning


def files_of(machine: str) -> tuple[Path, ...]:
    """Every calibration file of a machine, the newest first, readable or not."""
    try:
        found = [path for path in folder().iterdir() if path.match(f"{machine}--*.json")]
    except OSError:
        return ()
    return tuple(sorted(found, key=lambda path: -path.stat().st_mtime))


def read(path: Path) -> Calibration:
    """The calibration in a file.

    Raises:
        UsageError: there is none, or the file is damaged or of another kind.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path}: too large for a calibration", hint="give a file that memfit verify wrote")
        found = msgspec.json.decode(path.read_bytes(), type=Calibration)
    except OSError as failure:
        raise UsageError(
            f"{path}: {failure.strerror or failure}", hint="memfit verify makes a calibration; --calibration off"
        ) from failure
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as failure:
        raise UsageError(
            f"{path}: a damaged calibration ({failure})", hint="delete it; the next memfit verify makes a new one"
        ) from failure
    if found.schema_version != Calibration.__struct_defaults__[-1]:
        raise UsageError(
            f"{path}: a calibration of another memfit (schema {found.schema_version})",
            hint="delete it; the next memfit verify makes a new one",
        )
    return found


def write(calibration: Calibration, path: Path | None = None) -> Path:
    """Keep it, whole or not at all; returns where.

    Raises:
        OSError: it cannot be written.
    """
    path = path or file_of(calibration)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f".{os.getpid()}-{os.urandom(3).hex()}.tmp")
    try:
        with unfinished.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(calibration), indent=1) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def same_version(one: str, other: str) -> bool:
    """Whether two ways to name an engine name the same one: by its commit, or by the package it came in."""
    if one == other:
        return bool(one)
    if set(_PACKAGE.findall(one)) & set(_PACKAGE.findall(other)):
        return True
    return any(
        first.startswith(second) or second.startswith(first)
        for first in _COMMIT.findall(one)
        for second in _COMMIT.findall(other)
    )
