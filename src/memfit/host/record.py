"""Write what a host knows to ``FILE.tar.gz``, for ``RecordedHost``: a bug report is a fixture."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import re
import sys
import tarfile
from datetime import datetime, timezone
from pathlib import Path

import msgspec

from memfit.errors import MemfitError, NeedsRoot, ProbeError
from memfit.host._collect import collect
from memfit.host._problem import PERMISSION
from memfit.host._program import PYTHON_OPTIONS
from memfit.host._rules import never_read, never_sent, rank
from memfit.host.local import LocalHost
from memfit.host.recorded import FILES, META, RECORDING, Meta
from memfit.host.records import Disk, Host, Manifest
from memfit.host.snapshot import Snapshot, SnapshotHost

_PRIVATE, _SHARED = 0o600, 0o666  # less what the umask forbids


def record(host: Host, manifest: Manifest, file: Path, *, redact: bool = False) -> SnapshotHost:
    """Write what ``manifest`` names of ``host`` to an archive, whole or not at all; the machine itself is only read.

    Without ``redact`` only its owner may read the file: it has command lines, addresses and serial numbers.

    Returns:
        a host that answers as the recording will; an audit of it and of the recording are the same.

    Raises:
        ProbeError: the machine cannot be read.
        MemfitError: the file cannot be written.
    """
    from memfit.host.redact import redacted  # only here: most recordings are the owner's own

    taken = take(host, manifest)
    if redact:
        taken = redacted(taken)
    write_recording(taken, file, redact=redact)
    return SnapshotHost(taken, hint="record again as root: sudo memfit audit --record FILE.tar.gz")


def take(host: Host, manifest: Manifest) -> Snapshot:
    """What ``manifest`` names of ``host``, read now; what was fetched or recorded already is taken as it is.

    Raises:
        ProbeError: the machine cannot be read.
    """
    if isinstance(host, SnapshotHost):
        return host.snapshot
    if isinstance(host, LocalHost) and host.is_whole and sys.executable:
        # the same program as over ssh, in a process of its own: a driver that blocks it does not block us
        return collect((sys.executable, *PYTHON_OPTIONS), manifest, None)
    return _ask(host, manifest)


def write_recording(taken: Snapshot, file: Path, *, redact: bool = False) -> None:
    """Write a snapshot to an archive: equal ones give equal bytes.

    Args:
        taken: what to write; already redacted where ``redact`` says so.
        file: replaced in one step, once all of it is on the disk; a link to it stays one.
        redact: say in it that it is redacted, and let others read it.

    Raises:
        MemfitError: it cannot be written; what was there is as before.
    """
    target = Path(os.path.realpath(file))
    temporary = target.with_name(f".memfit-{os.getpid()}.tar.gz")
    try:
        if target.exists() and not target.is_file():
            raise MemfitError(f"cannot write {file}: it is not a regular file", hint="name a new file: FILE.tar.gz")
        descriptor = os.open(
            temporary,
            os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC,
            _SHARED if redact else _PRIVATE,
        )
        try:
            with os.fdopen(descriptor, "wb") as out:
                _pack(taken, out, redact=redact)
                out.flush()
                os.fsync(out.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise MemfitError(
            f"cannot write {file}: {error.strerror or error}", hint="choose another place, or free some space there"
        ) from error


def _pack(taken: Snapshot, out: io.BufferedWriter, *, redact: bool) -> None:
    fields = msgspec.structs.asdict(taken)
    files = fields.pop("files")
    sizes = {path: len(files[path]) for path in sorted(files)}
    meta = Meta(recording=RECORDING, redacted=redact, **{**fields, "files": sizes})
    with (
        gzip.GzipFile(fileobj=out, mode="wb", filename="", mtime=0, compresslevel=6) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        # json and not msgspec: file names need not be UTF-8
        _add(archive, META, json.dumps(msgspec.to_builtins(meta), indent=1, sort_keys=True).encode())
        for path in sizes:
            _add(archive, FILES + path, files[path])


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _ask(host: Host, manifest: Manifest) -> Snapshot:
    """As the collector, through the questions that every host answers."""
    files: dict[str, bytes] = {}
    folders: dict[str, tuple[str, ...]] = {}
    links: dict[str, str] = {}
    refused: dict[str, str] = {}
    for pattern in sorted(manifest.paths, key=rank):
        for path in host.glob(pattern):
            if never_read(path) or never_sent(path):
                refused[path] = "never recorded: it holds secrets, or a read of it could block"
                continue
            with contextlib.suppress(ProbeError):  # it is no link
                links[path] = host.read_link(path)
            try:
                folders[path] = host.list_dir(path)
                continue
            except ProbeError:  # it is no folder
                pass
            try:
                files[path] = host.read_bytes(path, most=manifest.most_file_bytes)
            except NeedsRoot:
                refused[path] = PERMISSION
            except ProbeError as error:
                if path not in links:  # else it points nowhere
                    refused[path] = error.message.removeprefix(f"{path}: ")
            else:
                if files[path][:4] == b"\x7fELF":
                    del files[path]
                    refused[path] = "never recorded: it is a program"
    return Snapshot(
        name=host.name,
        taken=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        python=".".join(map(str, sys.version_info[:3])),
        uid=os.geteuid(),
        live=host.live,
        patterns=manifest.paths,
        files=files,
        folders=folders,
        links=links,
        refused=refused,
        disks=_disks(host),
    )


def _disks(host: Host) -> dict[str, Disk]:
    """Space of ``/`` and of what the host says is mounted besides, where it can tell."""
    try:
        lines = host.read_bytes("/proc/mounts").decode("utf-8", "surrogateescape").splitlines()
    except ProbeError:
        lines = []
    found = {}
    for words in (["", "/"], *(line.split(" ") for line in lines)):
        mount = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), words[1] if len(words) > 1 else "")
        with contextlib.suppress(ProbeError):
            if mount.startswith("/"):
                found[mount] = host.disk(mount)
    return found
