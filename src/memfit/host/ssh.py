"""A machine over the system's OpenSSH client: one connection, nothing left behind."""

from __future__ import annotations

from collections.abc import Sequence

from memfit.errors import ProbeError
from memfit.host._collect import CONNECT_S, QUIET_S, collect
from memfit.host._program import PYTHON_OPTIONS
from memfit.host._target import Target, parse_target
from memfit.host.records import Manifest
from memfit.host.snapshot import Snapshot, SnapshotHost

# The user's own configuration, keys, agent and jump hosts count; here is what a question to a machine must not do: ask
# back, forward anything, start another command, or leave a connection open in the background. The level keeps the
# messages that tell why there is none.
_OPTIONS = (
    "BatchMode=yes",
    f"ConnectTimeout={CONNECT_S}",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    "ControlMaster=no",
    "PermitLocalCommand=no",
    "RemoteCommand=none",
    "LogLevel=INFO",
    "Compression=yes",
)
# env, because a login shell that is no sh knows no assignment before a command
_SUDO = ("env", "LC_ALL=C", "sudo", "-n")


def python_over_ssh(target: Target, *, sudo: bool, client: Sequence[str] = ("ssh",)) -> tuple[str, ...]:
    """The command that gives its standard input to a Python there; as root with ``sudo``, which must not ask back."""
    remote = (*(_SUDO if sudo else ()), "python3", *PYTHON_OPTIONS)
    options = [word for option in _OPTIONS for word in ("-o", option)]
    return (*client, "-T", *options, *target.words(), " ".join(remote))


class SshHost(SnapshotHost):
    """A machine that ssh reaches. What the manifest names is fetched when the first of it is asked for.

    Args:
        target: an alias, ``user@host`` or ``ssh://user@host:port``.
        manifest: all that will be asked for.
        sudo: read as root, where sudo needs no password.
        client: the ssh program and options of one's own.
        quiet_s: how long it may say nothing.
    """

    def __init__(
        self,
        target: str,
        manifest: Manifest,
        *,
        sudo: bool = False,
        client: Sequence[str] = ("ssh",),
        quiet_s: float = QUIET_S,
    ) -> None:
        self._target = parse_target(target)
        super().__init__(
            Snapshot(name=target, taken=""),
            door="ssh",
            hint="not even root may: its kernel is locked down" if sudo else "run again with --sudo",
        )
        self._manifest = manifest
        self._sudo = sudo
        self._client = tuple(client)
        self._quiet_s = quiet_s
        self._fetched = False
        self._refusal: ProbeError | None = None

    @property
    def snapshot(self) -> Snapshot:
        """All that was fetched.

        A machine that could not be reached is not asked again for every file: the refusal stands until ``refresh``.

        Raises:
            ProbeError: the machine cannot be reached, does not let us in or does not answer; says why.
        """
        if self._refusal is not None:
            raise self._refusal
        if not self._fetched:
            try:
                self._held = self.fetch()
            except ProbeError as refusal:
                self._refusal = refusal
                raise
            self._children = None
            self._fetched = True
        return self._held

    def refresh(self) -> None:
        """Forget what was fetched, or why nothing was: the next question fetches again."""
        self._fetched, self._refusal = False, None

    def fetch(self) -> Snapshot:
        """Read everything now, in one connection.

        Raises:
            ProbeError: as ``snapshot``.
        """
        command = python_over_ssh(self._target, sudo=self._sudo, client=self._client)
        return collect(command, self._manifest, self._target, quiet_s=self._quiet_s)
