"""From what somebody typed to the door it names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from memfit.errors import UsageError
from memfit.host._inside import kind_of
from memfit.host.local import LocalHost
from memfit.host.records import Host, Manifest


def open_host(
    host: str | None = None,
    *,
    paths: Iterable[str],
    root: str | None = None,
    recorded: str | None = None,
    sudo: bool = False,
) -> Host:
    """This machine where nothing is named; no connection is made yet.

    Args:
        host: for ssh: an alias, ``user@host``, ``ssh://user@host:port``.
        paths: shell patterns of all that will be asked for; ``ssh`` fetches them in one connection.
        root: the folder of an unpacked image; or of an unpacked recording, which is then taken as one.
        recorded: an archive or a folder that ``memfit audit --record`` wrote.
        sudo: over ssh, read as root where sudo needs no password.

    Raises:
        UsageError: more than one is named, or a name has no meaning.
        ProbeError: the folder or the recording cannot be read.
    """
    named = {"--host": host, "--root": root, "--recorded": recorded}
    given = [option for option, value in named.items() if value is not None]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} name different machines", hint="give one of them")
    if given and not named[given[0]]:
        raise UsageError(
            f"{given[0]} without a name", hint=f"{given[0]} {'TARGET' if given[0] == '--host' else 'FILE'}"
        )
    if sudo and host is None:
        raise UsageError("--sudo is for --host", hint="here: sudo memfit audit")
    if host is not None:
        return _over_ssh(host, Manifest(paths=tuple(paths)), sudo=sudo)
    if root is not None:
        return _folder(Path(root))
    if recorded is not None:
        from memfit.host.recorded import RecordedHost

        return RecordedHost(Path(recorded))
    return LocalHost()


def _over_ssh(text: str, manifest: Manifest, *, sudo: bool) -> Host:
    from memfit.host.ssh import SshHost

    if not text.startswith("ssh://") and ("/" in text or kind_of(Path(text)) == "file"):
        raise UsageError(
            f"--host {text} is a file or folder",
            hint="a recording: --recorded FILE.tar.gz; an unpacked image: --root FOLDER",
        )
    return SshHost(text, manifest, sudo=sudo)


def _folder(folder: Path) -> Host:
    from memfit.host.recorded import RecordedHost, is_recording
    from memfit.host.rootfs import RootfsHost

    if kind_of(folder) == "file":
        raise UsageError(f"--root {folder} is a file", hint=f"a recording: --recorded {folder}")
    return RecordedHost(folder) if is_recording(folder) else RootfsHost(folder)
